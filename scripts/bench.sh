#!/bin/bash
# bench.sh [--quick] [NAME ...]: sets up what is missing, builds dist/criu, and measures it (or the
# program that CRIU names) in a pid and a network namespace of its own. What is measured stands in bench/figures.ts.
# --quick takes seconds instead of minutes: fewer rounds, an eighth of the memory.
# BENCH_DIR is where images and copies are written (a new directory in the temporary one); it needs
# 3 GiB.
set -euo pipefail
cd "$(dirname "$(readlink -f -- "$0")")/.."
bash scripts/setup.sh run
[ -n "${CRIU:-}" ] || bash scripts/build.sh >&2

dir=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/criu-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cc -O2 -std=gnu17 -Wall -Wextra -o "$dir/init" tests/harness/tools/init.c
cc -O2 -std=gnu17 -Wall -Wextra -pthread -o "$dir/subject" bench/subject.c
export CRIU=${CRIU:-$PWD/dist/criu}
unshare --net "$dir/init" 3000 node_modules/.bin/bun --no-env-file bench/main.ts "$dir" "$@" </dev/null

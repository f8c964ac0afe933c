#!/bin/bash
# fuzz.sh [--seconds N] [--seed N] [--few] [--case N]: sets up what is missing, builds dist/criu, and lets
# it read damaged images (tests/fuzz/main.ts). CRIU names another program to try.
set -euo pipefail
cd "$(dirname "$(readlink -f -- "$0")")/.."
bash scripts/setup.sh test
[ -n "${CRIU:-}" ] || { bash scripts/build.sh >&2; export CRIU=$PWD/dist/criu; }
exec node_modules/.bin/bun --no-env-file tests/fuzz/main.ts "$@" </dev/null

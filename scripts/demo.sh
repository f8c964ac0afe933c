#!/bin/bash
# demo.sh: sets up what is missing, then dumps and restores a small workload before your eyes, in a
# pid namespace of its own. Leaves nothing behind, unless it fails: then it says where the logs are.
set -euo pipefail
cd "$(dirname "$(readlink -f -- "$0")")/.."
bash scripts/setup.sh run

dir=$(mktemp -d "${TMPDIR:-/tmp}/criu-demo.XXXXXX")
chmod 755 "$dir"
trap 'exit 130' INT TERM
trap '[ "${status:-130}" != 130 ] || rm -rf "$dir"' EXIT
flags=(-O1 -std=gnu17 -Wall -Wextra)
cc "${flags[@]}" -o "$dir/init" tests/harness/tools/init.c
cc "${flags[@]}" -pthread -o "$dir/counter" demo/counter.c

status=0
"$dir/init" 120 bash demo/steps.sh "$dir" "${CRIU:-$PWD/bin/criu}" || status=$?
if [ "$status" = 0 ]; then
  rm -rf "$dir"
elif [ "$status" != 130 ]; then
  echo "The demo failed; its logs and images are in $dir" >&2
fi
exit "$status"

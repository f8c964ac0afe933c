#!/bin/bash
# test.sh [PART [PATTERN ...]]: sets up what is missing, then checks all, or one part:
#
#   lint       formatting and lint rules (Biome)
#   types      the compiler (tsc)
#   unit       unit tests, import rules among them
#   node       the library's kernel boundary under Node
#   live       subjects dumped and restored          npm test -- live pipes
#   e2e        the program as a whole
#   apps       real programs, servers with clients   npm test -- apps -t redis
#
# PATTERN: only test files whose path contains it; after -t, only tests whose title matches:
#   npm test -- live pipes -t 'half closed'
#
# The last line is `N passed, N failed`, over all parts; the exit code is 0 only without a failure.
# CRIU names the program that the live tests test (dist/criu, built first).
set -uo pipefail
cd "$(dirname "$(readlink -f -- "$0")")/.." || exit 1
exec </dev/null
export CI=true

part=${1:-all}
[ $# -gt 0 ] && shift
case $part in
  all | lint | types | unit | node | live | e2e | apps) ;;
  *) sed -n '2,/^$/s/^# \{0,1\}//p' scripts/test.sh >&2; exit 64 ;;
esac

started=$SECONDS
passed=0 failed=0 skipped=0 failures=()
output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT

summary() {
  echo
  [ "$skipped" = 0 ] || echo "$skipped skipped (see (skip) above for what this machine lacks)"
  [ ${#failures[@]} = 0 ] || printf 'failed: %s\n' "${failures[@]}"
  echo "took $((SECONDS - started)) s"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
  exit
}

wanted() { [ "$part" = all ] || [ "$part" = "$1" ]; }

# One command that passes or fails as a whole.
check() {
  local title=$1
  shift
  echo "=== $title"
  if "$@"; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    failures+=("$title")
  fi
}

# One run of bun test; its counts are the last lines that look like ` 12 pass`.
bun_test() {
  local title=$1 status count
  shift
  echo "=== $title"
  node_modules/.bin/bun --no-env-file test --timeout=120000 "$@" 2>&1 | tee "$output"
  status=${PIPESTATUS[0]}
  count() { sed -nE "s/^ *([0-9]+) $1\$/\1/p" "$output" | tail -n 1; }
  local pass fail skip errors
  pass=$(count pass) fail=$(count fail) skip=$(count skip) errors=$(count 'errors?')
  fail=$((${fail:-0} + ${errors:-0}))
  # A run that broke off, or found no test, is a failure though no test failed.
  [ "$status" = 0 ] || [ "$fail" -gt 0 ] || fail=1
  passed=$((passed + ${pass:-0}))
  failed=$((failed + fail))
  skipped=$((skipped + ${skip:-0}))
  [ "$fail" = 0 ] || failures+=("$title: $fail")
}

bash scripts/setup.sh test || { failed=1 failures+=("set-up"); summary; }

wanted lint && check lint node_modules/.bin/biome check --error-on-warnings .
wanted types && check types node_modules/.bin/tsc --noEmit
wanted unit && bun_test 'unit tests' "${@:-tests/unit/}" --path-ignore-patterns='tests/{live,e2e,apps}/**'
[ "$part" = node ] && bun_test 'Node' tests/unit/node/
if [ -z "${CRIU:-}" ] && { wanted live || wanted e2e || wanted apps; }; then
  # An executable of older sources must not be tested in its place.
  rm -f dist/criu
  check 'build dist/criu' bash scripts/build.sh
  [ -x dist/criu ] || summary
  export CRIU=$PWD/dist/criu
fi
wanted live && bun_test 'live tests' "${@:-tests/live/}" --path-ignore-patterns='tests/{unit,e2e,apps}/**'
wanted e2e && bun_test 'end to end' "${@:-tests/e2e/}" --path-ignore-patterns='tests/{unit,live,apps}/**'
if wanted apps; then
  case ${1:-} in '' | -*) set -- tests/apps/ "$@" ;; esac
  bun_test 'real programs' "$@" --path-ignore-patterns='tests/{unit,live,e2e}/**'
fi
summary

#!/bin/bash
# real.sh DIR ROUNDS READY PROGRESS VERIFY COMMAND [ARGUMENT ...]
#
# Starts a real program in DIR, waits until READY (a shell condition) holds, and dumps and restores it
# ROUNDS times. After each restore what PROGRESS prints must change, and at the end VERIFY must hold.
# A dump that is refused since the program holds a file lock at that moment is tried again. Runs
# itself in a pid namespace of its own. CRIU names the program to test.
here=$(cd "$(dirname "$0")" && pwd)
criu=${CRIU:-$here/../../bin/criu}
if [ -z "${REAL_INSIDE:-}" ]; then
  REAL_INSIDE=1 exec "$here/../.build/init" "${REAL_SECONDS:-300}" "$0" "$@"
fi
dir=$1 rounds=$2 ready=$3 progress=$4 verify=$5
shift 5
cd "$dir" || exit 125
exec </dev/null

fail() {
  echo "FAILED: $1" >&2
  [ -z "${2:-}" ] || grep -ah 'Error (' "$2" | tail -n 20 >&2
  tail -n 5 out err >&2
  exit 1
}

# Waits up to a minute for a shell condition.
await() {
  for ((i = 0; i < 1200; i++)); do
    eval "$1" && return
    sleep 0.05
  done 2>/dev/null
  return 1
}

dump() {
  for ((try = 0; try < 100; try++)); do
    rm -rf "images.$1"
    mkdir "images.$1"
    "$criu" dump -t "$pid" -D "images.$1" -o "$dir/dump.$1.log" -v4 >/dev/null 2>&1 && return
    grep -aq 'Error (.*lock' "dump.$1.log" || return 1
    sleep 0.02
  done
  return 1
}

pid=$(env -i PATH=/usr/bin:/bin HOME=/root setsid "$@" >out 2>err </dev/null & echo $!)
await "$ready" || fail 'the program did not start well'
for ((round = 1; round <= rounds; round++)); do
  [ -e "/proc/$pid" ] || fail 'the program ended too early'
  dump "$round" || fail "criu dump, round $round" "dump.$round.log"
  await '[ ! -e "/proc/$pid" ]' || fail 'the dumped program is still there'
  before=$(eval "$progress")
  "$criu" restore -D "images.$round" -d -o "$dir/restore.$round.log" -v4 >/dev/null 2>&1 ||
    fail "criu restore, round $round" "restore.$round.log"
  await "[ \"\$($progress)\" != \"$before\" ]" || fail "it does not go on after restore $round"
done
eval "$verify" || fail 'the result is wrong'

#!/bin/sh
# cycle.sh [OPTION ...] SUBJECT MODE [ARGUMENT ...]
#
# One live test: starts a subject of tests/programs in a pid namespace of its own, dumps it once
# leaving it running, then dumps and restores it three times, and asks it to stop. After each step
# every reporter of the subject must go on saying ok, and what the kernel tells about the tree must
# be what it was before.
#
#   -d DIR      directory for the subject, images and logs (default: a new one, removed on success)
#   -n ROUNDS   dump and restore so many times (3)
#   -D ARGS     further arguments of criu dump
#   -R ARGS     further arguments of criu restore
#   -a REGEX    lines of the snapshot (see tools/snapshot.c) that may differ
#   -s          subject stays in our session (--here); with -t on a terminal of our own
#   -t          run all of it on a pseudo terminal
#   -N          all of it in a network namespace of its own, lo being up
#   -r REGEX    the dump must be refused, and its report hold a line for each REGEX (repeat it)
#   -h COMMAND  run this in DIR after each restore, and after the start; it must end with 0
#   -T SECONDS  time limit for all (60)
#
# CRIU names the program to test (default: bin/criu of this checkout); CRIU=none tests the subject
# alone: it must run, and its snapshots must be the same without a dump in between.
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../.build
criu=${CRIU:-$here/../../bin/criu}
dir= rounds=${LIVE_ROUNDS:-3} dump_args= restore_args= allow= stay= tty= network= refusals= check= limit=60
while getopts d:n:D:R:a:str:h:T:N option; do
  case $option in
    d) dir=$OPTARG ;;
    n) rounds=$OPTARG ;;
    D) dump_args=$OPTARG ;;
    R) restore_args=$OPTARG ;;
    a) allow=$OPTARG ;;
    s) stay=--here ;;
    t) tty=1 ;;
    N) network=1 ;;
    r) refusals="$refusals$OPTARG
" ;;
    h) check=$OPTARG ;;
    T) limit=$OPTARG ;;
    *) exit 64 ;;
  esac
done

# Outside: build, make the directory, and run again inside.
if [ -z "$LIVE_INSIDE" ]; then
  [ -n "$LIVE_BUILT" ] || make -s -j2 -C "$here" || exit 125
  made=
  [ -n "$dir" ] || { made=1 dir=$(mktemp -d "${TMPDIR:-/tmp}/criu-live.XXXXXX") || exit 125; }
  LIVE_INSIDE=1 ${network:+unshare --net} "$build/init" "$limit" ${tty:+"$build/onpty"} "$0" -d "$dir" "$@"
  status=$?
  rm -f "/dev/shm/criu-live-$(basename "$dir")" # of subjects with files on tmpfs
  [ -n "$made" ] && [ $status = 0 ] && rm -rf "$dir"
  [ -n "$made" ] && [ $status != 0 ] && echo "kept: $dir" >&2
  exit $status
fi

# Inside. The last -d wins, so that a given directory is the same here.
shift $((OPTIND - 1))
program=$1 mode=$2
shift 2
chmod 755 "$dir"
cd "$dir" || exit 125
[ -n "$tty" ] || exec </dev/null
[ -z "$network" ] || ip link set lo up || exit 125

fail() {
  echo "FAILED: $1" >&2
  for log in ${2:+"$dir/$2"}; do
    [ -f "$log" ] || { echo "(no $log)" >&2; continue; }
    grep -a 'Error (' "$log" | tail -20 >&2
    echo "--- the end of $log" >&2
    tail -n 15 "$log" | cut -c1-300 >&2
  done
  exit 1
}

goes_on() {
  "$build/watch" "$dir/log" 2 "${LIVE_PATIENCE:-10}" || fail "$1: the subject did not go on well" "$2"
}

snapshot() {
  "$build/snapshot" "$pid" "$dir/log" >"$1" || fail "snapshot: the subject is gone" "$2"
  [ -z "$allow" ] || { grep -vE "$allow" "$1" >"$1.part"; mv "$1.part" "$1"; }
}

# A snapshot may catch the subject in the middle of a round, with a file open or a child of a moment:
# what has really changed is there every time.
compare() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    snapshot "snapshot.$1" "$2"
    diff -U0 snapshot.start "snapshot.$1" >"changes.$1" && { rm "changes.$1" "snapshot.$1"; return; }
    sleep 0.1
  done
  grep -v '^@@' "changes.$1" | head -40 | cut -c1-400 >&2
  fail "$1: the kernel tells of a changed tree" "$2"
}

# The first one is what two in a row agree on.
first_snapshot() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    snapshot snapshot.start
    sleep 0.05
    snapshot snapshot.again
    cmp -s snapshot.start snapshot.again && break
  done
  rm -f snapshot.again
}

probe() {
  [ -z "$check" ] || (eval "$check") || fail "$1: $check" "$2"
}

gone() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -e "/proc/$pid" ] || return 0
    sleep 0.01
  done
  fail "the dumped process $pid is still there" "$1"
}

run_criu() {
  log=$1
  shift
  if [ -n "$tty" ]; then # --shell-job takes the terminal from criu's own stdio
    "$criu" "$@" -o "$dir/$log" "-v${LIVE_VERBOSITY:-4}"
  else
    "$criu" "$@" -o "$dir/$log" "-v${LIVE_VERBOSITY:-4}" >"$log.out" 2>&1
  fi
}

refused() {
  mkdir images.refused
  # shellcheck disable=SC2086
  run_criu dump.refused.log dump -t "$pid" -D images.refused $dump_args &&
    fail "the dump was not refused" dump.refused.log
  [ -f dump.refused.log ] || { cat dump.refused.log.out >&2; fail "no log"; }
  printf '%s' "$refusals" >refusals
  while read -r regex; do
    sed -n '/Error (/,$p' dump.refused.log | grep -aqE -e "$regex" ||
      fail "no line of the log matches: $regex" dump.refused.log
  done <refusals
  [ -z "$(ls -A images.refused)" ] || fail "images left behind: $(ls images.refused)"
  goes_on "after the refused dump" dump.refused.log
  compare refused dump.refused.log
}

leave_running() {
  mkdir images.0
  # shellcheck disable=SC2086
  run_criu dump.0.log dump -t "$pid" -D images.0 --leave-running $dump_args ||
    { [ -n "$tty" ] || cat dump.0.log.out >&2; fail "criu dump --leave-running" dump.0.log; }
  goes_on "after dump --leave-running" dump.0.log
  compare left-running dump.0.log
}

round() {
  mkdir "images.$1"
  # shellcheck disable=SC2086
  run_criu "dump.$1.log" dump -t "$pid" -D "images.$1" $dump_args ||
    { [ -n "$tty" ] || cat "dump.$1.log.out" >&2; fail "criu dump, round $1" "dump.$1.log"; }
  gone "dump.$1.log"
  # shellcheck disable=SC2086
  run_criu "restore.$1.log" restore -D "images.$1" -d $restore_args ||
    { [ -n "$tty" ] || cat "restore.$1.log.out" >&2; fail "criu restore, round $1" "restore.$1.log"; }
  goes_on "after restore $1" "restore.$1.log"
  compare "restored-$1" "restore.$1.log"
  probe "after restore $1" "restore.$1.log"
}

# shellcheck disable=SC2086
env -i PATH="$PATH" HOME=/root "$build/$program" $stay "$dir" "$mode" "$@"
status=$?
[ $status = 77 ] && exit 77
[ $status = 0 ] || fail "the subject did not start (status $status)"
pid=$(cat pid)
goes_on "after the start"
first_snapshot
probe "after the start"
if [ "$CRIU" = none ]; then
  goes_on "untouched"
  compare untouched
elif [ -n "$refusals" ]; then
  refused
else
  leave_running
  i=1
  while [ "$i" -le "$rounds" ]; do
    round "$i"
    i=$((i + 1))
  done
fi
last=restore.$rounds.log
chmod +x "$dir/log"
"$build/watch" --end "$dir/log" "${LIVE_PATIENCE:-10}" || fail "the subject did not end well" "$last"
exit 0

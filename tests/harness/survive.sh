#!/bin/sh
# survive.sh [-d DIR] [-k KILLS] [-m] [-s] [-N] [-D ARGS] [-R ARGS] [-T SECONDS] SUBJECT MODE [ARGUMENT ...]
#
# Kills `criu dump --leave-running` of a subject by SIGKILL: once at the beginning and at the end of
# each stage that its log names, then at KILLS (50) random moments of a whole dump. After each the
# subject must count on, with the mappings, descriptors, masks and threads that it had. At the end
# it must still let itself be dumped, restored and stopped.
#
#   -m   a mapping may stay behind: with several threads in the loop none can unmap it under another
#   -N   all of it in a network namespace of its own, lo being up
#   -D   further arguments of criu dump; -R of criu restore
#   -s   stopped tasks are not compared: what they have of ours they give back when they go on
#
# SEED repeats the same random moments. CRIU names the program, as for cycle.sh.
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../.build
criu=${CRIU:-$here/../../bin/criu}
dir= kills=50 may_map= stopped= network= dump_args= restore_args= limit=300
while getopts d:k:msND:R:T: option; do
  case $option in
    d) dir=$OPTARG ;;
    k) kills=$OPTARG ;;
    m) may_map=1 ;;
    s) stopped=1 ;;
    N) network=1 ;;
    D) dump_args=$OPTARG ;;
    R) restore_args=$OPTARG ;;
    T) limit=$OPTARG ;;
    *) exit 64 ;;
  esac
done
if [ -z "$LIVE_INSIDE" ]; then
  [ -n "$LIVE_BUILT" ] || make -s -j2 -C "$here" || exit 125
  made=
  [ -n "$dir" ] || { made=1 dir=$(mktemp -d "${TMPDIR:-/tmp}/criu-live.XXXXXX") || exit 125; }
  LIVE_INSIDE=1 SEED=${SEED:-$$} ${network:+unshare --net} "$build/init" "$limit" "$0" -d "$dir" "$@"
  status=$?
  [ -n "$made" ] && [ $status = 0 ] && rm -rf "$dir"
  [ -n "$made" ] && [ $status != 0 ] && echo "kept: $dir" >&2
  exit $status
fi

# The first -d is ours; getopts has seen a second one, if any, which is the same.
shift $((OPTIND - 1))
program=$1 mode=$2
shift 2
chmod 755 "$dir"
cd "$dir" || exit 125
exec </dev/null
[ -z "$network" ] || ip link set lo up || exit 125

# Where each thread is, for whoever has to find out why.
threads() {
  for task in /proc/[0-9]*/task/[0-9]*; do
    echo "$task: $(cat "$task/syscall") in $(cat "$task/wchan")"
    grep -E '^(Name|State|TracerPid|SigPnd|ShdPnd|SigBlk)' "$task/status" | tr '\n\t' '  '
    echo
  done 2>/dev/null
}

fail() {
  echo "FAILED: $1 (SEED=$SEED)" >&2
  threads >&2
  [ ! -f dump.log ] || tail -n 15 dump.log | cut -c1-300 >&2
  exit 1
}

# What differs from the start, but for mappings that were added when these are allowed.
changes() {
  "$build/snapshot" "$pid" "$dir/log" >snapshot.now || { echo "the subject is gone"; return; }
  for snapshot in start now; do
    # Pids of stopped tasks: those that have a line of their state.
    pids=$([ -z "$stopped" ] || sed -n 's/^\([0-9]*\)\.[0-9]* status State T.*/\1/p' snapshot.start | sort -u)
    pids=$(echo $pids | tr ' ' '|')
    grep -vE "^(${pids:-none})[. ]" snapshot.$snapshot >compared.$snapshot
  done
  diff -U0 compared.start compared.now | grep -v -e '^@@' -e '^+++' -e '^---' |
    if [ -n "$may_map" ]; then grep -vE '^\+[0-9]+ (map|vmflags) '; else cat; fi
}

survived() {
  "$build/watch" "$dir/log" 1 "${LIVE_PATIENCE:-10}" || fail "$1: the subject does not count on"
  # On a busy machine a thread may need a moment to be given the CPU for its way home.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    changed=$(changes)
    [ -n "$changed" ] || return 0
    sleep 0.2
  done
  [ -z "$changed" ] || { echo "$changed" | head -20 | cut -c1-300 >&2; fail "$1: the tree has changed"; }
}

strike() {
  rm -rf images dump.log
  mkdir images
  # shellcheck disable=SC2086
  "$build/strike" "$1" "$criu" dump -t "$pid" -D images -o "$dir/dump.log" -v4 --leave-running \
    $dump_args >lived 2>dump.out
  status=$?
  [ $status != 1 ] || { cat dump.out >&2; fail "$1: the dump failed by itself"; }
}

env -i PATH="$PATH" HOME=/root "$build/$program" "$dir" "$mode" "$@" || fail "the subject did not start"
pid=$(cat pid)
"$build/watch" "$dir/log" 2 10 || fail "the subject does not count"
"$build/snapshot" "$pid" "$dir/log" >snapshot.start

# A whole dump tells its length and its stages; the second is faster, with warm caches.
strike 60000000
strike 60000000
length=$(cat lived)
survived "a whole dump"
sed -nE 's/^\([0-9.]+\) ([a-z][a-z -]*) (begins|done) ?.*/\1 \2/p' dump.log >stages
[ -s stages ] || fail "the log names no stage"
while read -r moment; do
  strike "$dir/dump.log:) $moment"
  survived "killed when «$moment»"
done <stages

awk -v seed="$SEED" -v n="$kills" -v length_us="$length" \
  'BEGIN { srand(seed); for (i = 0; i < n; i++) printf "%d\n", rand() * length_us * 1.05 }' >moments
while read -r moment; do
  strike "$moment"
  survived "killed after $moment of $length µs"
done <moments

rm -rf images
mkdir images
# shellcheck disable=SC2086
"$criu" dump -t "$pid" -D images -o "$dir/dump.log" -v4 $dump_args >dump.out 2>&1 || fail "the last dump"
for _ in 1 2 3 4 5 6 7 8 9 10; do
  [ -e "/proc/$pid" ] || break # its parent has not reaped it yet
  sleep 0.05
done
# shellcheck disable=SC2086
"$criu" restore -d -D images -o "$dir/restore.log" -v4 $restore_args >restore.out 2>&1 ||
  { tail -n 15 restore.log >&2; fail "the restore"; }
"$build/watch" "$dir/log" 2 10 || fail "the restored subject does not count on"
chmod +x log
"$build/watch" --end "$dir/log" 10 || fail "the subject did not end well"
exit 0

#!/bin/sh
# cycle.sh [OPTION ...] APP
#
# The life of a real program: starts tests/apps/programs/APP.sh in a pid namespace of its own, dumps
# it once leaving it running, then dumps and restores it three times, lets it come to its end, and
# asks its own check whether all that it did is right. Between any two steps it must have got on.
#
#   -d DIR      directory for the program, images and logs (default: a new one, removed on success)
#   -n ROUNDS   dump and restore so many times (3)
#   -T SECONDS  time limit for all (300)
#
# APP.sh is read by sh and defines (all of them work in DIR; $apps is the directory of APP.sh):
#   prepare     makes what the program needs; not dumped (default: nothing)
#   run         the program, as a whole tree of processes; it goes on until a file `stop` is there, or
#               to an end of its own that is far enough off for all rounds
#   progress    prints a number that grows as the program gets on (default: size of `out`)
#   step        how much it must grow between two steps (default: 1)
#   moment      is now a moment at which to dump (default: yes)
#   options     further arguments of criu dump and criu restore
#   check       is the result right; says on stderr what is not
#
# CRIU names the program to test (default: bin/criu of this checkout); CRIU=none runs APP alone.
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../.build
criu=${CRIU:-$here/../../bin/criu}
apps=$here/programs
dir= rounds=3 limit=300
while getopts d:n:T: option; do
  case $option in
    d) dir=$OPTARG ;;
    n) rounds=$OPTARG ;;
    T) limit=$OPTARG ;;
    *) exit 64 ;;
  esac
done

# Outside: build, make the directory, and run again inside.
if [ -z "$APPS_INSIDE" ]; then
  [ -n "$LIVE_BUILT" ] || make -s -j2 -C "$here/../harness" || exit 125
  made=
  [ -n "$dir" ] || { made=1 dir=$(mktemp -d "${TMPDIR:-/tmp}/criu-apps.XXXXXX") || exit 125; }
  APPS_INSIDE=1 "$build/init" "$limit" "$0" -d "$dir" "$@"
  status=$?
  [ -n "$made" ] && [ $status = 0 ] && rm -rf "$dir"
  [ -n "$made" ] && [ $status != 0 ] && echo "kept: $dir" >&2
  exit $status
fi

# Inside. The last -d wins, so that a given directory is the same here.
shift $((OPTIND - 1))
app=$1
chmod 755 "$dir"
mkdir -p "$dir/work" && cd "$dir/work" || exit 125
exec </dev/null
unset APPS_INSIDE LIVE_BUILT
export LC_ALL=C.UTF-8 HOME="$dir/work"

prepare() { :; }
progress() { stat -c %s out; }
moment() { :; }
step=1 options=
# shellcheck source=/dev/null
. "$apps/$app.sh"

fail() {
  echo "FAILED: $1" >&2
  for log in ${2:+"../$2"} err; do
    [ -s "$log" ] || continue
    grep -a 'Error (' "$log" | tail -20 | cut -c1-400 >&2
    echo "--- the end of $log" >&2
    tail -n 12 "$log" | cut -c1-300 >&2
  done
  ps -eo pid,ppid,pgid,sid,stat,wchan:20,args | cut -c1-160 >&2
  exit 1
}

alive() { [ -e "/proc/$pid" ] && [ ! -e status ]; }

# Waits for the program to get on by a step, then for a good moment.
get_on() {
  seen=$(progress) tries=0
  until [ "$(progress)" -ge $((${seen:-0} + step)) ]; do
    alive || fail "$1: the program has ended (status $(cat status 2>/dev/null))" "$2"
    tries=$((tries + 1))
    [ $tries -lt 1200 ] || fail "$1: the program does not get on" "$2"
    sleep 0.05
  done
}

wait_moment() {
  tries=0
  until moment; do
    alive || fail "$1: the program has ended (status $(cat status 2>/dev/null))" "$2"
    tries=$((tries + 1))
    [ $tries -lt 3000 ] || fail "$1: no moment for a dump"
    sleep 0.01
  done
}

run_criu() {
  log=$1
  shift
  # shellcheck disable=SC2086
  "$criu" "$@" $options -o "$dir/$log" -v4 >"../$log.out" 2>&1
}

# dump NAME [ARGUMENT ...]
dump() {
  name=$1
  shift
  wait_moment "before dump $name"
  mkdir "../images.$name"
  run_criu "dump.$name.log" dump -t "$pid" -D "../images.$name" "$@" ||
    { cat "../dump.$name.log.out" >&2; fail "criu dump $name" "dump.$name.log"; }
}

gone() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -e "/proc/$pid" ] || return 0
    sleep 0.01
  done
  fail "the dumped process $pid is still there" "$1"
}

round() {
  dump "$1"
  gone "dump.$1.log"
  run_criu "restore.$1.log" restore -D "../images.$1" -d ||
    { cat "../restore.$1.log.out" >&2; fail "criu restore, round $1" "restore.$1.log"; }
  get_on "after restore $1" "restore.$1.log"
}

# The program's exit status would be lost: who restores it is its parent no more.
start() {
  env -i PATH="$PATH" HOME="$HOME" LC_ALL="$LC_ALL" apps="$apps" setsid \
    sh -c '. "$apps/$1.sh"; run; echo $? >status.new; mv status.new status' "$app" "$app" \
    >out 2>err &
  pid=$!
}

prepare || fail "prepare"
: >out
start
# setsid forks only when it leads a group; in this shell it does not, so $! is the program.
get_on "after the start"
if [ "$CRIU" != none ]; then
  dump 0 --leave-running
  get_on "after dump --leave-running" dump.0.log
  i=1
  while [ "$i" -le "$rounds" ]; do
    round "$i"
    i=$((i + 1))
  done
  last=restore.$rounds.log
fi
: >stop
tries=0
while [ -e "/proc/$pid" ]; do
  tries=$((tries + 1))
  [ $tries -lt 2400 ] || fail "the program does not end" "$last"
  sleep 0.05
done
[ "$(cat status)" = 0 ] || fail "the program ended with status $(cat status)" "$last"
check >../check.out 2>&1 || { cat ../check.out >&2; fail "the result is wrong" "$last"; }
exit 0

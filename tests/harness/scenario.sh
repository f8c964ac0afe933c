# Sourced by the scripts of tests/e2e/*.test.ts (see tests/e2e/scenario.ts): bash functions for tests of
# the program as a whole. The script runs in a pid and mount namespace of its own, in a new directory.
set -u
program=$CRIU
build=$SCENARIO_BUILD
dir=$PWD
pid=
exec </dev/null

failed() {
  echo "FAILED at line ${BASH_LINENO[*]: -2:1}: $1" >&2
  [ ! -s out ] || { echo "--- the last command said:" >&2; tail -n 25 out | cut -c1-300 >&2; }
  [ ! -s job.log ] || { echo "--- the end of job.log:" >&2; tail -n 25 job.log | cut -c1-300 >&2; }
  exit 1
}

# begin PROGRAM MODE [ARGUMENT ...]: starts a subject of tests/programs in $dir.
begin() {
  rm -f log
  env -i PATH="$PATH" HOME=/root "$build/$1" ${begin_options:-} "$dir" "${@:2}" || failed "the subject did not start"
  pid=$(cat pid)
  goes_on
  snapshot >snapshot.start
}
# The kernel tells of the tree what is compared before and after.
snapshot() { "$build/snapshot" "$pid" "$dir/log" || failed "the subject is gone"; }
goes_on() { "$build/watch" "$dir/log" 2 10 || failed "the subject does not go on"; }
# The subject goes on, and is what it was.
whole() {
  goes_on
  snapshot >snapshot.now
  diff -U0 snapshot.start snapshot.now | head -30 >changes
  [ ! -s changes ] || { cat changes >&2; failed "the tree has changed"; }
}
ends() { chmod +x log; "$build/watch" --end "$dir/log" 10 || failed "the subject did not end well"; }

# Runs the program, with what it says in ./out and its exit code in $status.
criu() { "$program" "$@" >out 2>&1; status=$?; return $status; }
# works COMMAND ...: criu ends with 0.
works() { criu "$@" || failed "criu $* ended with $status"; }
# refuses REGEX COMMAND ...: criu ends with 1 and says so; what it says has a line that matches.
refuses() {
  criu "${@:2}" && failed "criu ${*:2} was not refused"
  [ $status = 1 ] || failed "criu ${*:2} ended with $status, not 1"
  cat out job.log 2>/dev/null | grep -aqE -e "$1" || failed "no line matches: $1"
  ! cat out job.log 2>/dev/null | grep -aqE 'nobody foresaw|at fault' || failed "an internal error"
}
# Exactly one line of the log is an error. A sentence of several lines is one error.
one_error() {
  local n
  n=$(grep -a "${1:-job.log}" -e 'Error (' | cut -d: -f1,2 | sort -u | wc -l)
  [ "$n" = 1 ] || failed "$n errors in the log, not one"
}
holds() { eval "$1" || failed "it does not hold: $1"; }
within() { # SECONDS CONDITION
  local i
  for ((i = 0; i < $1 * 50; i++)); do eval "$2" && return; sleep 0.02; done
  failed "not within $1 s: $2"
}
nothing_in() { [ -z "$(ls -A "$1")" ] || failed "left in $1: $(ls -A "$1" | tr '\n' ' ')"; }
gone() { within 5 "[ ! -e /proc/$pid ]"; }

# Every process of the namespace but init and this script, as `PID STATE COMM`.
processes() {
  local stat
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    set -- ${line%% *} "${line##*) }" "$line"
    [ "$1" = 1 ] || [ "$1" = $$ ] || [ "$1" = "$BASHPID" ] || echo "$1 ${2%% *} $(cut -d'(' -f2 <<<"$3" | cut -d')' -f1)"
  done
}
# No process is there but those of the last `remember`.
remember() { processes >processes.before; }
nothing_new() {
  local i
  for ((i = 0; i < 100; i++)); do
    processes >processes.now
    new=$(cut -d' ' -f1,3 processes.now | grep -vxF -f <(cut -d' ' -f1,3 processes.before; echo) )
    [ -z "$new" ] && return
    sleep 0.02
  done
  failed "processes were left: $new"
}

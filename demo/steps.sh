#!/bin/bash
# steps.sh DIR CRIU: the demo itself; scripts/demo.sh runs it in a pid namespace of its own.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$1 criu=$2
cd "$dir" || exit 1

bold='' plain=''
[ -t 1 ] && bold=$'\e[1m' plain=$'\e[0m'
step() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
note() { printf '  %s\n' "$@"; }
die() {
  printf '\nFAILED: %s\n' "$*" >&2
  grep -ah 'Error (' ./*.log >&2
  exit 1
}

# The tree below a process: pid, threads, command line.
tree() {
  local pid=$1 indent=$2 threads command child
  threads=$(sed -n 's/^Threads:\s*//p' "/proc/$pid/status" 2>/dev/null) || return 0
  command=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)
  [ -n "$command" ] || return 0
  [ "$threads" = 1 ] && threads='' || threads=" ($threads threads)"
  printf '  %5s %s%s%s\n' "$pid" "$indent" "${command% }" "$threads" | cut -c1-100
  for child in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do tree "$child" "$indent  "; done
}

last() { tail -n 1 "$1" 2>/dev/null; }
number() { last pipeline.out | cut -d' ' -f2; }

# Waits until the pipeline has come to a number.
wait_for() {
  local tries=0
  until [ "$(number)" -ge "$1" ] 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || return 1
    sleep 0.05
  done
}

timed() {
  local start=${EPOCHREALTIME/./}
  "$@" || return
  took=$(((${EPOCHREALTIME/./} - start) / 1000))
}

step '1. Start a workload: a shell pipeline that numbers lines, and a program with threads, an' \
  'open file, a pipe and memory shared with its child.'
# Not a child of this shell, which would tell of its end.
pid=$(env -i PATH="$PATH" setsid sh "$here/workload.sh" "$dir" </dev/null >/dev/null 2>&1 & echo $!)
wait_for 30 || die 'the workload did not start'
tree "$pid" ''
note 'It has come to:' "  pipeline  $(last pipeline.out)" "  counter   $(last counter.out)"

step '2. Dump it: stop every process and thread, write all that they are to files, and end them.'
note "criu dump -t $pid -D images -o dump.log -v4 --display-stats"
mkdir images
timed "$criu" dump -t "$pid" -D images -W "$dir" -o dump.log -v4 --display-stats >dump.stats ||
  die 'criu dump'
frozen=$(sed -n 's/^Frozen time: \([0-9]*\) us$/\1/p' dump.stats)
pages=$(sed -n 's/^Memory pages written: \([0-9]*\) .*/\1/p' dump.stats)
stopped=$(number)
note "The command took $took ms; the workload stood still for $((frozen / 1000)) ms of it."
note "Saved: $(find images -type f | wc -l) files, $(du -sh images | cut -f1), $((pages * 4)) KiB of memory in it."
note 'What a restore would do with them (criu restore -D images --dry-run):'
"$criu" restore -D images -W "$dir" -o plan.log --dry-run >plan || die 'criu restore --dry-run'
head -n 25 plan | cut -c1-100 | sed 's/^/    /'
[ "$(wc -l <plan)" -le 25 ] || note "  … $(($(wc -l <plan) - 25)) lines more"

step '3. Nothing of it runs any more.'
sleep 1
[ -e "/proc/$pid" ] && die "process $pid is still there"
[ "$(number)" = "$stopped" ] || die 'something still counts'
note "The last line of the pipeline is $(number), and a second later still $(number)."

step '4. Restore it: make the same processes with the same pids, memory, files and pipes.'
note 'criu restore -D images -d -o restore.log -v4 --display-stats'
timed "$criu" restore -D images -W "$dir" -d -o restore.log -v4 --display-stats >restore.stats ||
  die 'criu restore'
note "The command took $took ms."
tree "$pid" ''

step '5. It goes on counting where it stopped.'
wait_for $((stopped + 20)) || die 'the pipeline does not go on'
sed -n "$((stopped - 1)),$((stopped + 3))p" pipeline.out | sed 's/^/    pipeline  /'
note '   counter   ...' "  counter   $(last counter.out)"
awk '$2 != NR { exit 1 }' pipeline.out || die 'a line of the pipeline is lost or there twice'
if grep LOST counter.out; then die 'the counter lost something'; fi
awk '$1 != NR { exit 1 }' counter.log || die "a line of the counter's file is lost or there twice"
note "All $(wc -l <pipeline.out) lines of the pipeline are there, each once and in order; the counter" \
  'found all of its threads, its file, its pipe and its shared memory as they were.'

step '6. End it. All of it lived in a pid namespace of its own, which ends with it.'
kill -KILL -- "-$pid" 2>/dev/null
exit 0

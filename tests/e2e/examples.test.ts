import { libraryScenario } from '../harness/library.ts'

/** The programs of examples/, in both runtimes. */

const functions = `
  examples=$(dirname $(place examples/x))
  # Of a file that grows.
  counted() {
    cp job/work/results now
    seq $(wc -l <now) | cmp - now || failed "the results are not those of a rewound job"
  }
  kill_tree() { kill -9 -- -$1; within 5 "[ ! -e /proc/$1 ]"; }
`

libraryScenario(
  'a job is saved regularly, and goes back to any snapshot',
  `${functions}
  run_background examples/rewind.mjs run $dir/job 0.4 sh $examples/jobs/count.sh
  within 60 '[ -e job/3/inventory.img ] && [ -e job/4 ]'
  run examples/rewind.mjs back $dir/job 2
  job=$(cat job/pid)
  then=$(tail -n 1 job/2/files/results)
  within 10 '[ $(tail -n 1 job/work/results) -gt $((then + 3)) ]'
  # Not a number is missing or there twice, though the job had gone on beyond this.
  counted
  within 10 '! kill -0 $runner'
  run examples/rewind.mjs back $dir/job 1
  then=$(tail -n 1 job/1/files/results)
  within 10 '[ $(tail -n 1 job/work/results) -gt $((then + 3)) ]'
  counted
  kill_tree $job
`,
)

libraryScenario(
  'a slow server is warmed once, and started many times, each in namespaces of its own',
  `${functions}
  unshare --net sh -c 'ip link set lo up; : >up; exec sleep 1000' & holder=$!
  within 10 '[ -e up ]'
  under="nsenter --net=/proc/$holder/ns/net"
  run examples/warm.mjs 3 8123 python3 $examples/jobs/server.py 8123
  holds '[ $(grep -c "pid" out) = 3 ]'
  # All of them have started at the same moment: once.
  holds '[ $(grep pid out | cut -d" " -f4 | sort -u | wc -l) = 1 ]'
  # And each has answered its first and its second question.
  holds '[ $(grep pid out | cut -d" " -f5 | sort -u) = 2 ]'
  holds '! ls -d images-* 2>/dev/null'
  kill -9 $holder
`,
  120,
)

libraryScenario(
  'a process moves to another host, with its port',
  `${functions}
  host() { unshare --net sh -c 'ip link set lo up; : >$0.up; exec sleep 1000' $1 & eval $1=$!; within 10 "[ -e $1.up ]"; }
  host here
  host there
  ask() { nsenter --net=/proc/$1/ns/net python3 -c 'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1:8124/").read().decode())'; }
  setsid nsenter --net=/proc/$here/ns/net python3 $examples/jobs/server.py 8124 </dev/null >/dev/null 2>&1 &
  server=$!
  within 20 'ask $here >first 2>/dev/null'
  run examples/move.mjs $server /proc/$here/ns/net /proc/$there/ns/net
  ask $there >second || failed "it does not answer there"
  ask $here 2>/dev/null && failed "it answers at the old place"
  holds '[ "$(cut -d" " -f1 first)" = "$(cut -d" " -f1 second)" ]'
  holds '[ "$(cut -d" " -f2 second | head -n 1)" = 2 ]'
  holds '[ "$(stat -Lc %i /proc/$server/ns/net)" = "$(stat -Lc %i /proc/$there/ns/net)" ]'
  holds '! ls -d images-* copied-* 2>/dev/null'
  kill -9 $server $here $there
`,
  120,
)

libraryScenario(
  'a crash is reported with the last good state, which can be revived',
  `${functions}
  run examples/crash-reporter.mjs run $dir/report 0.2 sh $examples/jobs/count.sh 60
  grep -q '"signal": "SIGSEGV"' report/report.json || { cat report/report.json; failed "no report"; }
  holds '[ $(tail -n 1 results) = 60 ]'
  for round in 1 2; do
    # What it had written since is not there any more for it.
    : >results; cp results results.$round
    run examples/crash-reporter.mjs revive $dir/report
    pid=$(sed -n 's/^process \\([0-9]*\\) .*/\\1/p' out)
    holds 'grep -q "^State:.T" /proc/$pid/status'
    kill -CONT -- -$pid
    within 20 '[ ! -e /proc/$pid ]'
    holds '[ $(tail -n 1 results) = 60 ]'
    holds '[ $(head -n 1 results) -gt 1 ]'
  done
`,
)

import { scenario } from './scenario.ts'

/** What the logs of a dump and a restore tell: upstream's line form, stages, tables, one log a task. */

const stages = {
  dump: ['probe', 'seize', 'collect', 'drain', 'infect', 'pages', 'cure', 'write', 'release'],
  restore: ['read', 'plan', 'open', 'create', 'place', 'connect', 'finish'],
}

scenario(
  'each stage is named with its time, in order; at level 4 every table as strace would print it',
  `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images -o job.log -v4
  gone
  cp images/job.log dump.log
  works restore -d -D images -o job.log -v4
  cp images/job.log restore.log
  names() { sed -nE 's/^\\([0-9]{2}\\.[0-9]{6}\\) ([a-z]+) done after [0-9.]+ ms$/\\1/p' $1 | tr '\\n' ' '; }
  holds '[ "$(names dump.log)" = "${stages.dump.join(' ')} " ]'
  holds '[ "$(names restore.log)" = "${stages.restore.join(' ')} " ]'
  holds 'grep -qE "^\\([0-9.]+\\) \\[pid $pid\\] [a-z0-9_]+\\(.*\\) = -?[0-9]" dump.log'
  holds 'grep -qE "^\\([0-9.]+\\) \\[pid $pid\\] mmap\\(0x[0-9a-f]+, [0-9]+, PROT_READ.*\\) = 0x" restore.log'
  holds '! grep -vqE "^\\([0-9]{2}\\.[0-9]{6}\\) " dump.log restore.log'
  whole
  ends
`,
)

scenario(
  'an error: (seconds.micros) Error (file:line): sentence; without times below level 3; on stderr too',
  `
  begin threads in-several-processes 2
  mkdir images
  refuses 'is gone' dump -t 31999 -D images -o $dir/job.log -v4
  holds 'grep -qE "^\\([0-9]{2}\\.[0-9]{6}\\) Error \\([a-z/-]+\\.ts:[0-9]+\\): process 31999 is gone" job.log'
  holds 'grep -qx "criu: process 31999 is gone: no such process" out && grep -qx "The log: $dir/job.log" out'
  refuses 'is gone' dump -t 31999 -D images -o $dir/job.log
  holds 'grep -qE "^Error \\([a-z/-]+\\.ts:[0-9]+\\): process 31999 is gone" job.log'
  refuses 'is gone' dump -t 31999 -D images -v1
  holds 'grep -qE "^Error \\(" out'
  criu dump -t 31999 -D images -v0
  holds '[ $status = 1 ] && [ ! -s out ]'
  whole
  ends
`,
)

scenario(
  '--log-pid: a log for each restored task beside the log; without -o there is none to stand beside',
  `
  begin threads in-several-processes 2
  mkdir images work
  works dump -t $pid -D images
  gone
  works restore -d -D images -W work -o r.log --log-pid -v4
  for task in $pid $(cat /proc/$pid/task/*/children); do
    holds '[ -s work/r.log.$task ]'
    holds "grep -q '^([0-9.]*) .pid $task. ' work/r.log.$task"
    holds "! grep -q '.pid $task. ' work/r.log"
  done
  holds '[ "$(ls work | wc -l)" = 5 ]' # the log, three of tasks, stats-restore
  holds 'grep -q "finish done" work/r.log'
  whole
  works dump -t $pid -D images
  gone
  works restore -d -D images -W work --log-pid
  whole
  ends
`,
)

scenario(
  'a log that a runtime made beforehand is emptied and kept, not replaced',
  `
  begin threads in-several-processes 2
  mkdir images
  echo old >images/dump.log; chmod 640 images/dump.log
  inode=$(stat -c %i images/dump.log)
  works dump -t $pid -D images -R -o dump.log -v4
  holds '[ $(stat -c %i:%a images/dump.log) = $inode:640 ] && ! grep -q old images/dump.log'
  mount -t tmpfs -o size=8k none images || failed mount
  criu dump -t $pid -D $dir -R -o images/full.log -v4 # a full disk under the log ends no job
  holds '[ $status = 0 ]'
  umount images
  whole
  ends
`,
)

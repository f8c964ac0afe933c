import { expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { criuPath } from '../harness/live.ts'
import { scenario } from './scenario.ts'

/**
 * What cannot be dumped or restored at all: one clear error, exit code 1, the tree as before and no
 * image (dump), or no task (restore).
 */

scenario(
  'roots that are not there, or whose stop would stop criu: refused before they are touched',
  `
  begin threads in-several-processes 2
  mkdir images
  refuse() { refuses "$1" dump -t $2 -D images -o ../job.log -v4; nothing_in images; holds '! grep -q "seize" job.log'; }
  refuse 'process 31999 is gone: no such process' 31999
  refuse "tree.*init of this pid namespace" 1
  refuse "tree.*from which criu was started" $$
  for tid in $(ls /proc/$pid/task); do
    [ $tid = $pid ] || refuse "tree.*a thread of process $pid" $tid
  done
  (sh -c 'exec "$0" dump -t $$ -D images' "$program" >out 2>&1; [ $? = 1 ]) || failed 'itself'
  holds 'grep -q "names criu itself" out'
  sh -c 'sleep 0 & exec sleep 100' & parent=$!
  zombie() { tr -d ' ' </proc/$parent/task/$parent/children; }
  within 5 'grep -q "^State:.Z" /proc/$(zombie)/status'
  refuse 'it is a zombie' $(zombie)
  kill $parent
  refuses '-t must be a pid' dump -t 0 -D images
  refuses '-t must be a whole number' dump -t abc -D images
  refuses 'tree.*is needed' dump -D images
  whole
  ends
`,
)

const kernelThread = existsSync('/proc/2/comm') && readFileSync('/proc/2/comm', 'utf8').trim()

// Seen from the first pid namespace alone.
test.skipIf(kernelThread !== 'kthreadd')('a thread of the kernel is refused', () => {
  const directory = mkdtempSync(join(tmpdir(), 'criu-kernel-'))
  const done = Bun.spawnSync([criuPath(), 'dump', '-t', '2', '-D', directory], { stdin: 'ignore' })
  expect(done.exitCode).toBe(1)
  expect(done.stderr.toString()).toMatch(/--tree names kthreadd \(pid 2\), a thread of the kernel/)
  expect(readdirSync(directory)).toEqual([])
  rmSync(directory, { recursive: true })
})

scenario(
  'a task that a debugger holds: refused, and the debugger is named',
  `
  begin threads in-several-processes 2
  mkdir images
  cat >tracer.c <<'C'
#include <stdlib.h>
#include <unistd.h>
#include <sys/ptrace.h>
int main(int c, char **v) { if (ptrace(PTRACE_SEIZE, atoi(v[1]), 0, 0)) return 1; write(1, "x", 1); pause(); return 0; }
C
  cc -w -o tracer tracer.c || failed cc
  child=$(cat /proc/$pid/task/*/children | cut -d' ' -f1)
  ./tracer $child >traced & tracer=$!
  within 5 '[ -s traced ]'
  refuses "traced by process $tracer" dump -t $pid -D images
  nothing_in images
  holds "grep -q '^TracerPid:.0$' /proc/$pid/status"
  kill $tracer; wait $tracer
  whole
  ends
`,
)

scenario(
  'image directories that are full: told with the remedy, nothing is left, all go on',
  `
  begin memory private
  mkdir full
  for kilobytes in 4 12 32 64 96 128; do
    mount -t tmpfs -o size=\${kilobytes}k none full || failed mount
    refuses 'No space left on device.*(make room|free some space)' dump -t $pid -D full -o $dir/job.log -v4
    one_error
    nothing_in full
    umount full
    goes_on
  done
  whole
  ends
`,
)

scenario(
  'a full work directory costs no image: the dump is done, and its statistics are missed',
  `
  begin threads in-several-processes 2
  mkdir images work
  mount -t tmpfs -o size=4k,nr_inodes=2 none work || failed mount
  head -c 4096 /dev/zero >work/zeroes
  works dump -t $pid -D images -W work
  gone
  works restore -d -D images -W work
  whole
  umount work
  ends
`,
)

scenario(
  'directories that cannot be written, are not there, are none',
  `
  begin threads in-several-processes 2
  mkdir images
  mount -t tmpfs -o ro none images || failed mount
  refuses 'Read-only file system.*can be written' dump -t $pid -D images
  umount images
  refuses 'images-dir.*does not exist' dump -t $pid -D none
  refuses 'images-dir.*is no directory' dump -t $pid -D log
  refuses 'work-dir.*does not exist' dump -t $pid -D images -W none
  refuses 'log-file.*cannot be opened' dump -t $pid -D images -o none/log
  refuses 'images-dir.*does not exist' restore -D none
  refuses 'inventory[.]img.*no such file' restore -D images
  nothing_in images
  whole
  ends
`,
)

scenario(
  'pids that are taken: the holder is named, also when the same tree is restored twice',
  `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images -R
  remember
  refuses "pid $pid is taken by threads" restore -d -D images -o ../job.log
  one_error
  nothing_new
  whole
  works dump -t $pid -D images
  gone
  works restore -d -D images
  remember
  refuses "pid $pid is taken by threads" restore -d -D images
  nothing_new
  whole
  rm -r images; mkdir images
  works dump -t $pid -D images
  gone
  # The pid of a child of the tree, not of its root.
  child=$(crit show images/pstree.img | sed -n 's/.*"pid": \\([0-9]*\\).*/\\1/p' | sort -n | tail -n 1)
  echo $((child - 1)) >/proc/sys/kernel/ns_last_pid; sleep 100 & holder=$!
  holds '[ $holder = $child ]'
  within 5 'grep -q sleep /proc/$holder/comm'
  remember
  refuses "pid $child is taken by sleep.*end process $child" restore -d -D images -o ../job.log
  one_error
  nothing_new
  kill $holder; wait $holder
  works restore -d -D images
  whole
  ends
`,
)

scenario(
  'files that vanished or changed their size since the dump',
  `
  cat >reader.pl <<'P'
use POSIX;
open(my $f, '<', $ARGV[0]) or die; read($f, my $x, 10); POSIX::setsid();
open(my $l, '>>', 'ticks'); select($l); $| = 1; for (;;) { print "x"; select(undef, undef, undef, .02) }
P
  mkdir images; seq 100 >data
  (setsid perl reader.pl data >/dev/null 2>&1 & echo $! >pid); pid=$(cat pid)
  within 5 '[ -s ticks ]'
  works dump -t $pid -D images
  gone
  remember
  mv data kept
  refuses "$dir/data" restore -d -D images -o ../job.log
  one_error
  nothing_new
  seq 200 >data
  refuses "$dir/data.*(size|bytes)" restore -d -D images -o ../job.log
  one_error
  nothing_new
  mkdir -p other; mv data other; mkdir data
  refuses "$dir/data" restore -d -D images -o ../job.log
  one_error
  nothing_new
  rmdir data; mv kept data
  works restore -d -D images
  kill -KILL $pid
`,
)

scenario(
  'a caller without privileges is told what is needed',
  `
  begin threads in-several-processes 2
  chmod 777 $dir
  mkdir -m 777 images
  nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all "$program" "$@" >out 2>&1
    [ $? = 1 ] && grep -qE 'root' out || failed "$1 as nobody"
    ! grep -q 'nobody foresaw' out || failed "$1: an internal error"
  }
  nobody dump -t $pid -D images
  nothing_in images
  whole
  works dump -t $pid -D images
  gone
  chmod -R a+rX images
  remember
  nobody restore -d -D images
  nothing_new
  works restore -d -D images
  whole
  ends
`,
)

scenario(
  'options that contradict each other, are not of the command, or have no such value',
  `
  begin threads in-several-processes 2
  mkdir images
  refuses 'no option of criu.*--leave-running' dump -t $pid -D images --leave-runing
  refuses 'no command of criu' dmp -t $pid -D images
  refuses 'ghost-limit' dump -t $pid -D images --ghost-limit 1X
  refuses 'timeout' dump -t $pid -D images --timeout -1
  refuses 'cpu-cap.*knows' dump -t $pid -D images --cpu-cap=fast
  refuses 'dry-run' dump -t $pid -D images --dry-run
  refuses 'track-mem.*not supported' dump -t $pid -D images --track-mem
  refuses 'close' dump -t $pid -D images --close x
  refuses 'needs a value' dump -t $pid -D
  refuses 'not expected' dump $pid -D images
  nothing_in images
  whole
  ends
`,
)

const dumpedTree = `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images
  gone
  cp -a images good
  remember
  again() { rm -rf images; cp -a good images; }
`

scenario(
  'each image missing in turn: it is named, and nothing is made',
  `${dumpedTree}
  for file in $(cd good; ls inventory.img pstree.img core-* ids-* mm-* fs-* fdinfo-* pagemap-* pages-*); do
    again
    rm images/$file
    refuses "$file.*no such file" restore -d -D images -o ../job.log -v4
    one_error
    nothing_new
  done
  again
  rm images/files.img # older images had one for each kind: what is missing is what they name
  refuses 'file [0-9]*, which no image has' restore -d -D images -o ../job.log -v4
  nothing_new
  again
  works restore -d -D images
  whole
  ends
`,
  180,
)

scenario(
  'each image cut short in turn: it is named, and nothing stays',
  `${dumpedTree}
  for file in $(cd good; ls *.img criu-ts-* | grep -v timens); do # which nothing reads yet
    for size in 0 3 -1; do
      [ $size = -1 ] || [ $(stat -c %s good/$file) -gt $size ] || continue
      again
      truncate -s $size images/$file
      refuses "$file" restore -d -D images -o ../job.log -v4
      one_error
      nothing_new
    done
  done
  again
  works restore -d -D images
  whole
  ends
`,
  300,
)

scenario(
  'each image with a wrong magic in turn, or garbage behind it: it is named, and nothing is made',
  `${dumpedTree}
  for file in $(cd good; ls *.img criu-ts-* | grep -v -e pages- -e timens); do
    again
    printf '\\377' | dd of=images/$file bs=1 seek=5 conv=notrunc status=none
    refuses "$file" restore -d -D images -o ../job.log -v4
    one_error
    nothing_new
    again
    printf '\\377\\377\\377\\377\\377\\377\\377' >>images/$file
    refuses "$file" restore -d -D images -o ../job.log -v4
    one_error
    nothing_new
  done
`,
  300,
)

scenario(
  'bits flipped at random: a restore works or fails with one error; nothing hangs, no task stays',
  `${dumpedTree}
  cat >flip.py <<'P'
import os, random, sys
random.seed(int(sys.argv[1]))
names = [n for n in sorted(os.listdir('images')) if n.endswith('.img') and not n.startswith('pages')]
name = random.choice(names)
data = bytearray(open('images/' + name, 'rb').read())
at = random.randrange(len(data))
data[at] ^= 1 << random.randrange(8)
open('images/' + name, 'wb').write(data)
print(name, at)
P
  for seed in $(seq 60); do
    again
    what=$(python3 flip.py $seed)
    timeout -s KILL 20 "$program" restore -d -D images -o ../job.log -v4 >out 2>&1
    status=$?
    case $status in
      0) kill -KILL $(processes | cut -d' ' -f1 | grep -vxF -f <(cut -d' ' -f1 processes.before; echo)) 2>/dev/null ;;
      1) one_error; ! grep -qE 'nobody foresaw|at fault' job.log || failed "an internal error: $what" ;;
      *) failed "status $status: $what" ;;
    esac
    nothing_new
  done
`,
  400,
)

scenario(
  'criu restore killed at random moments leaves no task, or the whole tree',
  `${dumpedTree}
  strike() { "$build/strike" "$1" "$program" restore -d -D images -o $dir/job.log -v3 >lived 2>out; }
  strike 60000000
  whole
  length=$(cat lived)
  kill -KILL $(cat /proc/$pid/task/*/children) $pid; gone
  for i in $(seq 40); do
    nothing_new
    strike $((length * (RANDOM % 105) / 100))
    sleep 0.05
    if [ -e /proc/$pid ]; then # killed after all were let go
      goes_on
      kill -KILL $(cat /proc/$pid/task/*/children) $pid
    fi
  done
  nothing_new
  works restore -d -D images
  whole
  ends
`,
  300,
)

scenario(
  'a tree that dies while it is dumped: the dump ends, with success or with one clear error',
  `
  for i in $(seq 25); do
    begin threads in-several-processes 2
    mkdir images
    timeout -s KILL 20 "$program" dump -t $pid -D images -o $dir/job.log -v4 --timeout 4 >out 2>&1 & criu=$!
    sleep 0.$(printf %03d $((RANDOM % 400)))
    if [ $((i % 2)) = 0 ]; then kill -KILL $pid; else
      kill -KILL $(cat /proc/$pid/task/*/children | cut -d' ' -f1); fi 2>/dev/null
    wait $criu
    status=$?
    case $status in
      0) ;;
      1) one_error; nothing_in images
        ! grep -qE 'nobody foresaw|at fault' job.log || failed "an internal error" ;;
      *) failed "status $status" ;;
    esac
    kill -KILL $(processes | cut -d' ' -f1) 2>/dev/null
    rm -rf images
  done
`,
  200,
)

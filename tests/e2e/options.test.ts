import { scenario } from './scenario.ts'

/** Options of dump and restore, end to end: what criu(8) says of each. */

scenario(
  '-D, -o and stats: the log and the statistics stand in the image directory; the dumped tree is gone',
  `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images -o dump.log -v4
  gone
  holds '[ -s images/dump.log ] && [ -s images/stats-dump ] && [ -s images/inventory.img ]'
  works restore -d -D images -o restore.log -v4
  holds '[ -s images/restore.log ] && [ -s images/stats-restore ]'
  whole
  ends
`,
)

scenario(
  '-W takes log, statistics and pid file; nothing of them is among the images',
  `
  begin threads in-several-processes 2
  mkdir images work
  works dump -t $pid -D images -W work -o dump.log
  gone
  holds '[ -e work/dump.log ] && [ -s work/stats-dump ]'
  works restore -d -D images -W work -o restore.log --pidfile root.pid
  holds '[ "$(cat work/root.pid)" = $pid ] && [ -s work/stats-restore ]'
  holds '[ -z "$(ls images | grep -vE "[.]img$|^criu-ts-|^cow$|^parent$")" ]'
  whole
  ends
`,
)

scenario(
  'without -D and -o: images in the current directory, the log on standard error',
  `
  begin threads in-several-processes 2
  mkdir images
  (cd images && "$program" dump --tree $pid -v3 2>../out) || failed dump
  holds '[ -s images/inventory.img ] && grep -q "seize done" out'
  gone
  (cd images && "$program" restore --restore-detached -v3 2>../out) || failed restore
  holds 'grep -q "create done" out'
  whole
  ends
`,
)

scenario(
  '-R leaves the tree running, -s leaves it stopped until SIGCONT',
  `
  begin threads in-several-processes 2
  mkdir running stopped
  works dump -t $pid -D running -R
  whole
  works dump -t $pid -D stopped -s
  for task in $pid $(cat /proc/$pid/task/*/children); do
    within 2 "grep -q '^State:.T' /proc/$task/status"
    holds "grep -q '^TracerPid:.0$' /proc/$task/status"
  done
  cp log log.before; sleep 0.3; holds 'cmp -s log log.before'
  kill -CONT $pid $(cat /proc/$pid/task/*/children)
  whole
  ends
`,
)

scenario(
  'restore -s leaves every task stopped until SIGCONT',
  `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images
  gone
  works restore -d -s -D images
  for task in $pid $(cat /proc/$pid/task/*/children); do
    holds "grep -q '^State:.T' /proc/$task/status"
  done
  cp log log.before; sleep 0.3; holds 'cmp -s log log.before'
  kill -CONT $(cat /proc/$pid/task/*/children) $pid
  whole
  ends
`,
)

scenario(
  'without -d criu waits for the root, whatever its end, and exits with 0',
  `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images
  gone
  "$program" restore -D images -o restore.log -v4 >out 2>&1 & criu=$!
  goes_on
  holds "grep -q '^PPid:.$criu$' /proc/$pid/status && [ -e /proc/$criu ]"
  kill -KILL $pid
  wait $criu
  holds "[ $? = 0 ]"
  gone
`,
)

scenario(
  '-d leaves at once: the tree is a child of init then; -S makes its root a sibling of criu',
  `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images
  gone
  works restore -D images -d
  holds "grep -q '^PPid:.1$' /proc/$pid/status"
  whole
  rm images/*
  works dump -t $pid -D images
  gone
  works restore -D images -d -S
  holds "grep -q '^PPid:.$$\\$' /proc/$pid/status"
  whole
  ends
  wait -n || true
`,
)

scenario(
  '-S without -d is refused, and so is -R with -s',
  `
  begin threads in-several-processes 2
  mkdir images
  refuses 'restore-sibling.*-d' restore -S -D images
  refuses 'leave-stopped.*leave-running' dump -R -s -t $pid -D images
  nothing_in images
  whole
  ends
`,
)

scenario(
  '--pidfile: relative to the work directory, must not exist, and is not left behind by a failure',
  `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images
  gone
  remember
  touch images/there
  refuses 'pidfile.*exists' restore -d -D images --pidfile there
  refuses 'script.*network-unlock' restore -d -D images --pidfile root.pid \\
    --action-script 'test $CRTOOLS_SCRIPT_ACTION != network-unlock'
  nothing_new
  holds '[ ! -e images/root.pid ]'
  works restore -d -D images --pidfile root.pid
  holds '[ "$(cat images/root.pid)" = $pid ]'
  whole
  ends
`,
)

scenario(
  '-v levels: 0 nothing, 1 errors, 2 warnings, 3 stages and times, 4 every table; each -v adds one',
  `
  begin threads in-several-processes 2
  level() { rm -rf images; mkdir images; works dump -t $pid -D images -R -o job.log "$@"; cat images/job.log; }
  holds '[ -z "$(level -v0)" ] && [ -z "$(level -v1)" ] && [ -z "$(level)" ]'
  three=$(level -v3); four=$(level -v4)
  holds '[ "$(level -v | grep -c done)" = "$(grep -c done <<<"$three")" ]'
  holds '[ "$(level -vv | wc -l)" -gt $(($(wc -l <<<"$three") + 20)) ]'
  holds '[ "$(level -v -v | wc -l)" -gt $(($(wc -l <<<"$three") + 20)) ]'
  holds '! grep -vqE "^\\([0-9]{2}\\.[0-9]{6}\\) " <<<"$four"'
  whole
  ends
`,
)

scenario(
  '--close closes an inherited descriptor before anything else; one that is not open is refused',
  `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images
  gone
  exec 7<>log
  works restore -d -D images --close 7 --action-script 'ls -l /proc/self/fd/ /proc/$PPID/fd >fds.$CRTOOLS_SCRIPT_ACTION'
  holds '! grep -q "/log$" fds.pre-restore'
  exec 7<&-
  refuses 'close.*9.*not open' restore -d -D images --close 9
  whole
  ends
`,
)

scenario(
  '--exec-cmd: criu becomes the command once the tree runs; a wrong name is refused before anything',
  `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images
  gone
  remember
  refuses 'exec-cmd.*no-such-program' restore -d -D images --exec-cmd -- no-such-program
  refuses 'exec-cmd' restore -d -D images --exec-cmd
  refuses 'exec-cmd' restore -d -D images -- true
  nothing_new
  criu restore -D images --exec-cmd -- sh -c 'echo $$ "$@"; grep PPid /proc/'$pid'/status; exit 7' sh a 'b c'
  holds '[ $status = 7 ] && grep -q " a b c$" out'
  holds 'grep -q "PPid:.$(sed -n "s/ a b c//p" out)$" out'
  whole
  ends
`,
)

scenario(
  '--display-stats prints the numbers that stats-dump and stats-restore hold',
  `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images --display-stats
  cp out dump.out
  crit decode -i images/stats-dump >dump.json || failed crit
  works restore -d -D images --display-stats
  cp out restore.out
  crit decode -i images/stats-restore >restore.json || failed crit
  python3 - <<'P' || failed 'the numbers are not sensible'
import json, re
def entry(name): return json.load(open(name))['entries'][0]
dump, restore = entry('dump.json')['dump'], entry('restore.json')['restore']
said = dict(re.findall(r'^(.*): (\\d+)', open('dump.out').read(), re.M))
assert int(said['Memory pages written']) == int(dump['pages_written']), said
assert int(said['Frozen time']) == dump['frozen_time'], said
assert 0 < dump['freezing_time'] < dump['frozen_time'] < 60e6, dump
assert 0 < dump['memwrite_time'] <= dump['frozen_time'], dump
assert 0 < int(dump['pages_written']) <= int(dump['pages_scanned']), dump
said = dict(re.findall(r'^(.*): (\\d+)', open('restore.out').read(), re.M))
assert int(said['Restore time']) == restore['restore_time'], said
assert 0 < restore['forking_time'] < restore['restore_time'] < 60e6, restore
assert 0 < int(restore['pages_restored']) <= int(dump['pages_written']), (dump, restore)
P
  whole
  ends
`,
)

scenario(
  '--timeout: a task that cannot be stopped in time makes the dump fail, and all go on',
  `
  cat >stuck.c <<'C'
#include <unistd.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/wait.h>
int main(void) { pid_t p; setsid(); if ((p = vfork()) == 0) { int fd = open("gate", O_RDONLY); (void)fd; _exit(3); }
  int s; wait(&s); return creat("after", 0600) < 0; }
C
  cc -O1 -w -o stuck stuck.c && mkfifo gate || failed cc
  ./stuck & pid=$!
  within 5 '[ -n "$(cat /proc/$pid/task/*/children)" ]'
  sleep 0.1
  mkdir images
  before=$(date +%s%N)
  refuses 'took longer than 1 second' dump -t $pid -D images --timeout 1
  took=$((($(date +%s%N) - before) / 1000000))
  holds '[ $took -ge 1000 ] && [ $took -lt 4000 ]'
  nothing_in images
  holds "grep -q '^TracerPid:.0$' /proc/$pid/status"
  for child in $(cat /proc/$pid/task/*/children); do
    holds "grep -q '^TracerPid:.0$' /proc/$child/status"
  done
  : >gate
  wait $pid
  holds '[ $? = 0 ] && [ -e after ]'
`,
)

scenario(
  '--cpu-cap: cpuinfo.img is written when asked for, and compared; what this CPU lacks is named',
  `
  begin threads in-several-processes 2
  mkdir images
  for cap in '' --cpu-cap=none --cpu-cap=fpu --cpu-cap=all,^cpu,^ins; do
    works dump -t $pid -D images -R $cap
    holds '[ ! -e images/cpuinfo.img ]'
  done
  refuses 'cpuinfo[.]img.*no such file.*dump with --cpu-cap' restore -d -D images --cpu-cap=cpu
  works dump -t $pid -D images --cpu-cap
  gone
  remember
  crit decode -i images/cpuinfo.img >good.json || failed crit
  python3 - <<'P' || failed 'cpuinfo.img is not what /proc/cpuinfo tells'
import json, re
entry = json.load(open('good.json'))['entries'][0]['x86_entry'][0]
info = dict(re.findall(r'^([^\\t:]*)\\s*: (.*)$', open('/proc/cpuinfo').read().split('\\n\\n')[0], re.M))
flags = info['flags'].split()
vendor = {'GenuineIntel': 'INTEL', 'AuthenticAMD': 'AMD'}[info['vendor_id']]
assert entry['vendor_id'] == vendor, entry
assert entry['cpu_family'] == int(info['cpu family']) and entry['model'] == int(info['model'])
assert entry['stepping'] == int(info['stepping']) and entry['model_id'] == info['model name'].strip()
words = entry['capability']
for name, word, bit in [('avx2', 9, 5), ('avx512f', 9, 16), ('sse4_2', 4, 20), ('lahf_lm', 6, 0), ('vaes', 11, 9), ('rdtscp', 1, 27), ('fsrm', 18, 4)]:
    assert bool(words[word] >> bit & 1) == (name in flags), name
P
  change() { # WORD BIT SET: as if the images came from another CPU
    python3 - $1 $2 $3 <<'P' && crit encode -i other.json -o images/cpuinfo.img || failed change
import json, sys
word, bit, value = map(int, sys.argv[1:])
image = json.load(open('good.json'))
entry = image['entries'][0]['x86_entry'][0]
if word < 0:
    entry['xfeatures_mask'] = int(entry['xfeatures_mask'], 0) if isinstance(entry['xfeatures_mask'], str) else entry['xfeatures_mask']
    entry['xfeatures_mask'] |= 1 << bit
else:
    entry['capability'][word] = entry['capability'][word] & ~(1 << bit) | value << bit
json.dump(image, open('other.json', 'w'))
P
  }
  run() { # a restore that works, and its end
    works restore -d -D images "$@"
    goes_on
    kill -KILL $(cat /proc/$pid/task/*/children) $pid
    gone
    nothing_new
  }
  for cap in '' --cpu-cap --cpu-cap=all --cpu-cap=cpu --cpu-cap=ins,fpu; do run $cap; done
  change 18 16 1
  for cap in '' --cpu-cap --cpu-cap=all --cpu-cap=ins; do
    refuses 'a CPU with tsxldtrk, which this CPU does not have.*--cpu-cap' restore -d -D images -o ../job.log $cap
    one_error
    nothing_new
  done
  refuses 'another CPU.*tsxldtrk' restore -d -D images --cpu-cap=cpu
  for cap in --cpu-cap=none --cpu-cap=fpu --cpu-cap=^ins,^cpu; do run $cap; done
  change 4 20 0 # ours has more
  run
  run --cpu-cap=ins
  refuses 'another CPU.*sse4_2 .new here' restore -d -D images --cpu-cap=cpu
  change -1 18 1
  refuses 'a CPU with AMX' restore -d -D images
  refuses 'a CPU with AMX' restore -d -D images --cpu-cap=fpu
  run --cpu-cap=ins
  nothing_new
`,
  120,
)

scenario(
  '-j: a tree of our own session is refused without it, at dump and at restore, with the remedy',
  `
  cat >inner <<'I'
exec >said 2>&1
. "$1"
begin_options=--here
begin threads several 2
mkdir images
refuses 'session leader.*--shell-job' dump -t $pid -D images
nothing_in images
whole
works dump -t $pid -D images -j
gone
remember
refuses '--shell-job' restore -d -D images -o ../job.log
one_error
nothing_new
works restore -d -D images -j
whole
I
  setsid -w bash inner "$(sed -n '1s/^[.] //p' script)" || { cat said >&2; exit 1; }
  pid=$(cat pid)
  ends
`,
)

scenario(
  '--evasive-devices: a device whose path is covered is opened by another; without, it is refused',
  `
  mkdir devices images
  mknod devices/nothing c 1 3
  cat >holder.pl <<'P'
open(my $f, '+<', 'devices/nothing') or die;
open(my $l, '>>', 'ticks'); select($l); $| = 1;
for (;;) { print "x" if defined syswrite($f, 'y'); select(undef, undef, undef, .02) }
P
  (setsid perl holder.pl >/dev/null 2>&1 & echo $! >pid); pid=$(cat pid)
  within 5 '[ -s ticks ]'
  mount -t tmpfs none devices || failed mount
  refuses 'character device.*--evasive-devices' dump -t $pid -D images
  nothing_in images
  works dump -t $pid -D images --evasive-devices
  gone
  works restore -d -D images
  size=$(stat -c %s ticks)
  within 5 '[ $(stat -c %s ticks) -gt $size ]'
  holds '[ "$(stat -L -c %t:%T /proc/$pid/fd/3)" = 1:3 ]'
  kill -KILL $pid
`,
)

scenario(
  'paths: -D and --action-script from the current directory, -o and --pidfile from the work directory',
  `
  begin threads in-several-processes 2
  mkdir -p here/images work
  printf '#!/bin/sh\\necho ran >>ran\\n' >here/hook; chmod +x here/hook
  (cd here && "$program" dump -t $pid -D images -W ../work -o sub.log -R --action-script ./hook) || failed dump
  holds '[ -e work/sub.log ] && [ -s work/stats-dump ] && [ -s here/images/inventory.img ]'
  holds '[ $(wc -l <here/ran) = 4 ]'
  works dump -t $pid -D $dir/here/images -o $dir/absolute.log
  gone
  holds '[ -e absolute.log ]'
  (cd here && "$program" restore -d -D images -W ../work --pidfile p) || failed restore
  holds '[ -s work/p ]'
  whole
  ends
`,
)

scenario(
  '--root without a mount namespace in the images changes nothing, and says so; it must exist',
  `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images
  gone
  refuses 'root.*does not exist' restore -d -D images -r $dir/none
  works restore -d -D images -r $dir
  holds 'grep -q "Warn .*--root has no effect" out'
  whole
  ends
`,
)

scenario(
  'progress: on a terminal a longer job shows stage, bytes, rate and time left, and wipes it away',
  `
  begin threads in-several-processes 2
  mkdir images
  cat >terminal.py <<'P'
import os, pty, subprocess, sys
# Runs a program on a terminal of 60 columns as the only one there; what it wrote goes to the file.
name, argv = sys.argv[1], sys.argv[2:]
pid, master = pty.fork()
if pid == 0:
    subprocess.run(['stty', 'cols', '60'])
    os.execvp(argv[0], argv)
said = b''
while True:
    try: piece = os.read(master, 65536)
    except OSError: break
    if not piece: break
    said += piece
open(name, 'wb').write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
P
  python3 -c 'import time; memory = b"x" * (300 << 20); open("large.pid", "w").write(""); time.sleep(900)' >/dev/null 2>&1 & large=$!
  within 20 '[ -e large.pid ]'
  slow='case $CRTOOLS_SCRIPT_ACTION in network-lock | post-setup-namespaces) sleep 0.7;; esac'
  terminal() { python3 terminal.py said "$program" "$@" --action-script "$slow"; }
  terminal dump -t $large -D images -o job.log -j || failed dump
  holds 'grep -qP "\\r\\x1b\\[Kdump: (collect|drain)\\r" said'
  holds 'grep -qP "dump: pages, [0-9.]+ MiB of 30. MiB, [0-9.]+ [MG]iB/s" said'
  wiped() { [ "$(tail -c 4 said | od -An -tx1)" = ' 0d 1b 5b 4b' ]; }
  holds wiped
  terminal restore -d -j -D images -o job.log || failed restore
  holds 'grep -qP "\\r\\x1b\\[Krestore: place, [0-9.]+ MiB of 30. MiB" said'
  holds wiped
  kill -KILL $large 2>/dev/null # or its terminal has ended it
  # A warning or an error stands on a line of its own.
  rm -rf images/*
  terminal dump -t $pid -D images --action-script '[ $CRTOOLS_SCRIPT_ACTION != post-dump ]' && failed 'it must fail'
  holds 'grep -qP "(^|\\x1b\\[K)Error \\(" said && grep -qP "\\x1b\\[KWarn " said'
  # Neither without a terminal, nor for what is over at once, nor where nothing can be wiped away.
  works dump -t $pid -D images -R --action-script "$slow"
  holds '[ ! -s out ]'
  python3 terminal.py said "$program" dump -t $pid -D images -R || failed dump
  holds '[ ! -s said ]'
  TERM=dumb terminal dump -t $pid -D images -R || failed dump
  holds '[ ! -s said ]'
  whole
  ends
`,
)

scenario(
  '--irmap-scan-path: where a watched file is looked for first, of a file system without handles',
  `
  mkdir images lower upper work there
  mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay there || failed mount
  cd there && mkdir far near
  : >far/watched && ln far/watched near/watched
  cat >watcher.py <<'P'
import ctypes, time
libc = ctypes.CDLL(None)
fd = libc.inotify_init1(0)
libc.inotify_add_watch(fd, b"far/watched", 2)
open("pid", "w").close()
time.sleep(900)
P
  setsid python3 watcher.py >/dev/null 2>&1 & pid=$!
  within 20 '[ -e pid ]'
  cd $dir
  for place in near far; do
    works dump -t $pid -D images -R --irmap-scan-path there/$place
    crit decode -i images/files.img >files.json || failed crit
    holds "grep -q '\\"$dir/there/$place/watched\\"' files.json"
  done
  kill -KILL $pid
`,
)

scenario(
  '--config, the default files and CRIU_CONFIG_FILE: in upstream’s order; none of the current directory',
  `
  begin threads in-several-processes 2
  mkdir images home home/.criu etc
  cp -a /etc/. etc && mkdir -p etc/criu && mount --bind etc /etc || failed 'mount --bind'
  export HOME=$dir/home
  dumped() { rm -rf images *.log; mkdir images; works dump -t $pid -D images -W $dir "$@"; }
  # The later one wins: each is told apart by the log that it asks for.
  echo 'leave-running # as a copy
extra
log-file "the system.log"' >/etc/criu/default.conf
  dumped; holds '[ -e "the system.log" ]'; whole
  echo log-file=users.log >home/.criu/default.conf
  dumped; holds '[ -e users.log ]'
  printf 'log-file\\tnamed.log\\n' >named.conf
  echo log-file environments.log >environment.conf
  export CRIU_CONFIG_FILE=$dir/environment.conf
  dumped; holds '[ -e environments.log ]'
  dumped --config named.conf; holds '[ -e named.log ]'
  dumped --config named.conf -o given.log; holds '[ -e given.log ]'
  unset CRIU_CONFIG_FILE
  dumped --no-default-config -R -o plain.log; holds '[ -e plain.log ]'
  # Nothing that stands in the current directory is read, nor where HOME is none.
  rm home/.criu/default.conf /etc/criu/default.conf
  mkdir .criu && echo nonsense | tee .criu/default.conf default.conf criu.conf >/dev/null
  dumped -R
  HOME= dumped -R
  HOME=. dumped -R
  # A line that is wrong is named; a file that was named must be there.
  printf 'shell-job\\nlog-fiel x\\n' >named.conf
  refuses 'named.conf:2: log-fiel is no option.*log-file' dump -t $pid -D images -R --config named.conf
  refuses 'none.conf does not exist' dump -t $pid -D images -R --config none.conf
  CRIU_CONFIG_FILE=none.conf refuses 'none.conf does not exist' dump -t $pid -D images -R
  whole
  ends
`,
)

scenario(
  '--deprecated, --ext-unix-sk, --no-NAME and the like are taken before and behind the command',
  `
  begin threads in-several-processes 2
  mkdir images
  works --deprecated -R dump --tree=$pid -Dimages -x -v4
  works -t $pid --images-dir images --leave-stopped --no-leave-stopped --leave-running dump
  whole
  works --shell-job --no-shell-job dump -t $pid -D images
  gone
  works --no-tcp-established restore --deprecated -dDimages
  whole
  ends
`,
)

scenario(
  'service: --address, --pidfile, --status-fd and --daemon; a pid file that exists is refused',
  `
  remember
  mkdir work
  touch work/there
  refuses 'pidfile.*exists' service -W work --pidfile there
  (exec 9>ready; exec "$program" service -W work --address here.sock --pidfile pid --status-fd 9 >out 2>&1) & job=$!
  within 10 '[ -s ready ]'
  holds '[ "$(od -An -tx1 ready)" = " 00" ] && [ -S work/here.sock ]'
  service=$(cat work/pid)
  holds '[ ! -e /proc/$service/fd/9 ]'
  kill $service
  wait $job
  works service -d --address $dir/there.sock --pidfile $dir/daemon.pid
  holds '[ -S there.sock ] && [ -e /proc/$(cat daemon.pid) ]'
  kill $(cat daemon.pid)
  nothing_new
`,
)

scenario(
  '--file-validation: a library of the same build-id may have another size; or the size alone tells',
  `
  library() { echo 'int f(void) { return 7; }' | cc -shared -fPIC -Wl,--build-id=0x$1 -x c -o $2 - || failed cc; }
  library 1111111111111111 first.so; library 2222222222222222 second.so
  holds '[ $(stat -c %s first.so) = $(stat -c %s second.so) ]'
  cat >holder.py <<'P'
import ctypes, time
library = ctypes.CDLL("./held.so")
ticks = open("ticks", "a", buffering=1)
while True:
    ticks.write("x" * (library.f() == 7)); ticks.flush(); time.sleep(0.05)
P
  mkdir images
  install -m 644 first.so held.so
  setsid python3 holder.py >/dev/null 2>&1 & pid=$!
  within 20 '[ -s ticks ]'
  again() { # dump, and another file in place of the library
    rm -rf images/*; works dump -t $pid -D images -j "\${@:2}"; gone
    rm held.so; install -m 644 $1 held.so
  }
  on() { size=$(stat -c %s ticks); within 5 '[ $(stat -c %s ticks) -gt $size ]'; }
  again second.so
  refuses 'held.so is another build' restore -d -j -D images
  works restore -d -j -D images --file-validation=filesize
  on
  (cat second.so; echo more) >longer.so
  again longer.so
  refuses 'held.so has .* bytes, but had' restore -d -j -D images --file-validation filesize
  works restore -d -j -D images --file-validation buildid
  on
  again longer.so --file-validation filesize
  crit decode -i images/files.img >files.json || failed crit
  holds '! grep -q build_id files.json'
  works restore -d -j -D images
  on
  refuses 'file-validation knows filesize and buildid, not chksum' dump -t $pid -D images --file-validation chksum
  kill -KILL $pid
`,
  120,
)

scenario(
  '--skip-file-rwx-check: a file with other permissions than at the dump',
  `
  begin threads in-several-processes 2
  mkdir images
  chmod 644 log
  works dump -t $pid -D images
  gone
  chmod 600 log
  refuses 'log has mode 0100600, but had 0100644' restore -d -D images
  works restore -d -D images --skip-file-rwx-check
  goes_on
  ends
`,
)

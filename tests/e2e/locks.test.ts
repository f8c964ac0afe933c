import { scenario } from './scenario.ts'

/** File locks that somebody outside of the tree has to do with. */

// hold WHAT FILE: a process outside holds it (python, by flock, lockf or open) until it is told to end.
const outside = `
hold() {
  rm -f held
  python3 - "$1" "$2" <<'PY' &
import fcntl, os, sys, time
how, name = sys.argv[1:]
fd = os.open(name, os.O_RDWR)
if how == 'shared': fcntl.flock(fd, fcntl.LOCK_SH)
if how == 'exclusive': fcntl.flock(fd, fcntl.LOCK_EX)
if how == 'posix': fcntl.lockf(fd, fcntl.LOCK_EX, 10, 0)
open('held', 'w').close()
time.sleep(1000)
PY
  holder=$!
  within 5 '[ -e held ]'
}
let_go() { kill "$holder"; wait "$holder" 2>/dev/null || :; }
mkdir images
dump() { works dump -t "$pid" -D images --file-locks -v4 -o "$dir/job.log"; gone; }
restore() { works restore -D images --file-locks -d -v4 -o "$dir/job.log"; }
`

scenario(
  'a shared lock of somebody else stays, before, between and after',
  `${outside}
begin locks flock-shared
hold shared data
dump
restore
whole
let_go
ends`,
)

scenario(
  'a restore names who has locked a file meanwhile, leaves nothing, and works later',
  `${outside}
begin locks mixed
dump
remember
hold exclusive data
refuses "file lock \\(flock, write\\) of process $pid cannot be taken again, process $holder .*data" restore -D images -d -v4 -o "$dir/job.log"
one_error
gone
let_go
hold posix data
refuses "file lock \\(POSIX, write\\) of bytes 0 to 9 of process $pid cannot.* process $holder" restore -D images -d -v4 -o "$dir/job.log"
let_go
nothing_new
restore
whole
ends`,
)

scenario(
  'a lock that a process outside took and still holds is refused, and goes once that one ends',
  `${outside}
touch file
(flock 9; exec setsid env -i PATH="$PATH" HOME=/root "$build/locks" "$dir" flock-exclusive) 9>file &
shell=$!
within 5 '[ -s pid ]'
pid=$(cat pid)
wait $shell
goes_on
# The one that took it has ended: the lock is of the tree alone.
snapshot >snapshot.start
dump
restore
goes_on
! flock -n file true || failed "the lock is gone"
ends
flock -n file true || failed "the lock stays"
rm -f pid log
exec 9>file
flock 9
begin locks flock-exclusive
mkdir refused
refuses "fd 9: file lock \\(flock, write\\), which process $$ \\(bash\\) outside of the tree holds" dump -t "$pid" -D refused --file-locks -v4 -o "$dir/job.log"
nothing_in refused
whole
exec 9>&-
ends`,
)

scenario(
  'a lease whose breaker waited outside: it goes on while nobody holds the lease',
  `${outside}
begin locks lease-write
mkdir running
python3 -c 'import os; os.open("data", os.O_RDONLY); open("opened", "w").close(); import time; time.sleep(1000)' &
opener=$!
within 5 'crit=$(grep -c BREAKING /proc/$pid/fdinfo/4); [ "$crit" = 1 ]'
[ ! -e opened ] || failed "the lease kept nobody out"
works dump -t "$pid" -D running --leave-running --file-locks -v4 -o "$dir/job.log"
sleep 0.2
[ ! -e opened ] || failed "a dump that leaves it running has let the opener in"
works dump -t "$pid" -D images --file-locks -v4 -o "$dir/job.log"
gone
within 5 '[ -e opened ]'
restore
grep -q LEASE /proc/$pid/fdinfo/4 && failed "a lease that was given up"
kill $opener`,
)

scenario(
  'filelocks.img is as upstream writes it',
  `${outside}
begin locks mixed
dump
crit show images/filelocks.img >shown || failed "crit"
python3 - "$pid" <<'PY' || failed "$(cat shown)"
import json, sys
pid = int(sys.argv[1])
found = sorted((e['flag'], e['type'], e['pid'], int(e['start']), int(e['len'])) for e in json.load(open('shown'))['entries'])
sys.exit(found != [(1, 1, pid, 0, 10), (2, 1, pid, 0, 0), (4, 0, pid, 20, 10)])
PY
restore
whole
ends`,
)

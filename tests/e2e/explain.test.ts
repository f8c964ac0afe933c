import { scenario } from './scenario.ts'

/** `criu explain`: would a dump work, with which options, and what would it cost. */

scenario(
  'explain: a tree that can be dumped; it is what it was, and nothing is left',
  `
  begin threads in-several-processes 2
  mkdir images
  remember
  ls /tmp >before
  works explain -t $pid -D images
  holds 'grep -q "^the tree of process $pid can be dumped as it is$" out'
  holds 'grep -qE "^a dump of [0-9]+ processes with [0-9]+ threads would be about [0-9.]+ [KM]iB, and stop them for about [0-9.]+ m?s$" out'
  holds 'grep -qE "^ *$pid +threads +" out'
  works explain -t $pid -D images --json
  python3 - $pid <<'P' || failed json
import json, sys
found = json.load(open('out'))
assert found['possible'] and found['obstacles'] == [] and found['options'] == []
own = [p for p in found['processes'] if p['pid'] == int(sys.argv[1])][0]
assert own['comm'] == 'threads' and own['threads'] >= 2 and own['memory'] > 4096
assert found['outlook']['processes'] == len(found['processes'])
assert len(found['lookMicros']) == 1
P
  nothing_in images
  within 10 '[ -z "$(ls /tmp | diff before - | grep "> criu-explain")" ]'
  nothing_new
  whole
  works dump -t $pid -D images
  works restore -d -D images
  whole
  ends
`,
)

/** A connection, a lock, and a file without a name that is larger than is carried by default. */
const python = `
import fcntl, os, socket, time
a = socket.socket(); a.bind(('127.0.0.1', 0)); a.listen()
b = socket.create_connection(a.getsockname()); c, _ = a.accept()
f = open('locked', 'w'); fcntl.flock(f, fcntl.LOCK_EX)
g = open('ghost', 'w'); g.write('x' * 3000000); g.flush(); os.unlink('ghost')
h = open('linked', 'w'); os.link('linked', 'other'); os.unlink('linked')
open('ready', 'w').close()
for i in range(3000):
    b.send(b'x'); assert c.recv(1) == b'x'
    assert fcntl.flock(f, fcntl.LOCK_EX) is None
    open('count', 'w').write(str(i)); time.sleep(0.02)
`

scenario(
  'explain: the options that help are found, tried together, and do help; the refused dump says the same',
  `
  mkdir images
  cat >program.py <<'P'
${python}
P
  setsid python3 program.py </dev/null >said 2>&1 & pid=$!
  within 10 '[ -e ready ]'
  counts() { local before=$(cat count); within 5 '[ -n "$(cat count)" ] && [ "$(cat count)" != "$before" ]'; }
  counts
  remember
  criu explain -t $pid -D images; holds '[ $status = 1 ]'
  wanted='--tcp-established|--file-locks|--link-remap|--ghost-limit 3000320|--ghost-limit 3000000'
  for option in --tcp-established --file-locks --link-remap '--ghost-limit 30[0-9]*'; do
    holds 'grep -qE -e "^against all of them helps: .*$option" out && grep -qE -e "^it can be dumped with .*$option" out'
  done
  options=$(sed -n 's/^it can be dumped with //p' out)
  grep '^  process' out | sort >told
  holds '[ $(wc -l <told) -ge 4 ]'
  counts
  holds '[ ! -e link_remap.1 ] && [ -z "$(ls | grep link_remap)" ]'
  # The same lines, and what it would cost, stand at the head of the refused dump.
  refuses 'the tree holds [0-9]+ things that cannot be dumped' dump -t $pid -D images
  sed 's/^Error ([^)]*): //' out | grep '^  process' | sort >refused
  holds 'diff told refused >&2'
  holds 'grep -qE "against all of them helps: .*--tcp-established" out'
  holds 'grep -qE "a dump of 1 process with 1 thread would be about" out'
  nothing_in images
  counts
  works explain -t $pid -D images $options
  holds 'grep -q "can be dumped as it is" out'
  counts
  works dump -t $pid -D images $options
  works restore -d -D images $options
  counts
  holds '[ ! -s said ]'
  kill -KILL $pid; gone
`,
)

scenario(
  'explain: obstacles that no option helps against, and images that have no room',
  `
  begin refused sockets
  mkdir images
  remember
  criu explain -t $pid -D images; holds '[ $status = 1 ]'
  holds 'grep -qE "process $pid .*fd 103.*AF_VSOCK" out'
  holds 'grep -q "^no option helps against all of them$" out || grep -qE "^with .*: the tree holds" out'
  works_not() { criu "$@" && failed 'it worked'; true; }
  works_not explain -t $pid -D images --json
  python3 - <<'P' || failed json
import json
found = json.load(open('out'))
assert not found['possible'] and not found['possibleWithOptions']
assert any('AF_VSOCK' in one['what'] and one['remedy'] for one in found['remaining'])
P
  nothing_new
  whole
  ends
  begin memory private
  mount -t tmpfs -o size=16k none images || failed mount
  criu explain -t $pid -D images; holds '[ $status = 1 ]'
  holds 'grep -qE "room for [0-9]+ bytes, and about [0-9]+ are needed; make room" out'
  umount images
  whole
  ends
`,
)

scenario(
  'explain: what cannot be looked at is an error; stopped trees stay stopped; a killed look harms nobody',
  `
  begin threads in-several-processes 2
  mkdir images
  refuses 'process 31999 is gone' explain -t 31999 -D images
  refuses 'tree is needed' explain -D images
  refuses 'init of this pid namespace' explain -t 1 -D images
  refuses 'does not go with explain' explain -t $pid --extra -D images
  kill -STOP $pid
  within 5 'grep -q "^State:.T" /proc/$pid/status'
  works explain -t $pid -D images
  holds 'grep -q "^State:.T" /proc/$pid/status'
  kill -CONT $pid
  for ((i = 0; i < 12; i++)); do
    "$program" explain -t $pid -D images >/dev/null 2>&1 & criu=$!
    sleep 0.$((RANDOM % 3))$((RANDOM % 10))
    kill -KILL $criu 2>/dev/null; wait $criu 2>/dev/null
    goes_on
  done
  whole
  ends
`,
)

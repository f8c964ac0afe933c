import { resolve } from 'node:path'
import { scenario } from './scenario.ts'

/** Plugins of --libdir: modules of examples/plugins and tests/plugins, and broken ones. */

const checkout = resolve(import.meta.dir, '../..')

const functions = `
  mkdir images
  # Root's alone, up to the root: a checkout need not be.
  mount -t tmpfs -o mode=755 none /mnt
  mkdir /mnt/plugins
  use() { local name; for name in "$@"; do cp -r ${checkout}/$name /mnt/plugins/; done; chmod -R go-w /mnt/plugins; }
  plugin() { cat >/mnt/plugins/$1; }
  dump() { works dump -t $pid -D images -o job.log -v4 -L /mnt/plugins "$@"; }
  restore() { works restore -d -D images -o job.log -v4 -L /mnt/plugins "$@"; }
  log() { grep -aqF "$1" images/job.log || { tail images/job.log; failed "the log does not say: $1"; }; }
  again() {
    local round
    for round in 1 2 3; do dump; gone; restore; goes_on; done
    dump -R
    goes_on
  }
`

scenario(
  'a character device with a state: the example of docs/plugins.md, in TypeScript',
  `${functions}
  exec 9>$build/.latency; flock 9
  begin plugins latency 9>&-
  refuses 'cpu_dma_latency .*close it before the dump' dump -t $pid -D images
  goes_on
  use examples/plugins/cpu-latency.ts
  again
  log 'plugins of /mnt/plugins: cpu-latency'
  log 'plugin cpu-latency keeps fd'
  whole
  crit decode -i images/files.img | grep -q '"type": "EXT"' || failed "no entry of a plugin"
  grep -aq cpu-latency images/inventory.img || failed "the inventory does not name it"
  dump
  refuses 'file of the plugin cpu-latency; give the directory' restore -d -D images
  rm /mnt/plugins/*
  refuses 'plugins of these images: cpu-latency' restore -d -D images -L /mnt/plugins
  use examples/plugins/cpu-latency.ts
  restore
  ends
`,
  120,
)

scenario(
  'memory of a device, mapped and closed',
  `${functions}
  begin plugins device-memory
  refuses 'memory of a device .*perf_event' dump -t $pid -D images
  use tests/plugins/perf.ts tests/plugins/lib
  again
  ends
`,
)

scenario(
  'a unix socket whose peer is outside comes back connected anew',
  `${functions}
  python3 -c '
import socket
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.bind("server")
server.listen()
held = []
while True: held.append(server.accept())
' &
  within 10 '[ -e server ]'
  begin plugins client
  refuses 'whose peer .*is outside of the tree' dump -t $pid -D images
  use tests/plugins/server.ts tests/plugins/lib
  again
  ends
`,
)

scenario(
  'devices are paused before, saved while all stand still, resumed before all go on',
  `${functions}
  begin trees generations 5
  use tests/plugins/told.mjs
  dump
  gone
  restore
  whole
  told() { grep -n "^$1" told | sed 's/[^0-9: a-z]//g'; }
  tasks=$(grep -c '^dump pause' told)
  holds '[ $tasks -gt 2 ]'
  holds '[ $(grep -c "^dump checkpoint" told) = $tasks ]'
  holds '[ $(grep -c "^restore resume" told) = $tasks ]'
  holds '[ "$(cut -d" " -f1,2 told | uniq | tr "\\n" ",")" = "dump begin,dump pause,dump checkpoint,dump end,restore begin,restore resume,restore end," ]'
  grep -q '^dump pause '$pid told || failed "not told of the root"
  : >told
  dump -R
  holds '[ "$(cut -d" " -f1,2 told | uniq | tr "\\n" ",")" = "dump begin,dump pause,dump checkpoint,dump resume,dump end," ]'
  : >told
  refuses '' dump -t $pid -D images -L /mnt/plugins --action-script 'exit 1 # fails'
  holds 'grep -q "^dump end false" told'
  whole
  ends
`,
)

scenario(
  'a plugin that throws, waits, or returns nonsense fails the job, and the tree goes on',
  `${functions}
  exec 9>$build/.latency; flock 9
  begin plugins latency 9>&-
  remember
  mkdir images/kept; mv images/kept .
  try() { # MESSAGE MEMBERS
    echo "export default { name: 'bad', restoreExtFile: () => 0, $2 }" | plugin bad.js
    refuses "$1" dump -t $pid -D images -L /mnt/plugins
    nothing_in images
    goes_on
  }
  try 'plugin bad, dumpExtFile: no such state' 'dumpExtFile() { throw new Error("no such state") }'
  try 'plugin bad, dumpExtFile: it returned a promise' 'async dumpExtFile() {}'
  try 'plugin bad, dumpExtFile: its state is more than JSON' 'dumpExtFile: () => new Map()'
  try 'plugin bad, dumpExtFile: its state is more than JSON' 'dumpExtFile: () => 5n'
  try 'plugin bad, begin: not today' 'begin() { throw new Error("not today") }'
  try 'plugin bad, pauseDevices: still busy' 'pauseDevices() { throw new Error("still busy") }'
  try 'plugin bad, checkpointDevices: 7' 'checkpointDevices() { throw 7 }'
  try 'cpu_dma_latency .*close it before the dump' 'dumpExtFile() {}'
  whole
  # One that fails at its end changes nothing.
  echo 'export default { name: "late", end() { throw new Error("too late") } }' | plugin late.js
  rm /mnt/plugins/bad.js
  use examples/plugins/cpu-latency.ts
  dump -R
  log 'plugin late, end: too late'
  dump
  gone
  for hook in 'restoreExtFile: () => { throw new Error("gone") }' 'restoreExtFile: () => "text"' 'restoreExtFile: () => 987'; do
    echo "export default { name: 'cpu-latency', dumpExtFile() {}, $hook }" | plugin cpu-latency.ts
    refuses 'plugin cpu-latency, restoreExtFile: (gone|it returned no open descriptor)' restore -d -D images -L /mnt/plugins
    holds '[ ! -e /proc/$pid ]'
  done
  echo "export default { name: 'cpu-latency' }" | plugin cpu-latency.ts
  refuses 'plugin cpu-latency, restoreExtFile: it keeps file .*, and is not there' restore -d -D images -L /mnt/plugins
  use examples/plugins/cpu-latency.ts
  restore
  ends
`,
  120,
)

scenario(
  'what is no plugin is refused by name, before anything is touched',
  `${functions}
  begin pipes content
  try() { # MESSAGE, the module on standard input
    plugin one.js
    refuses "$1" dump -t $pid -D images -L /mnt/plugins
    nothing_in images
  }
  try 'has no default export' <<<'export const a = 1'
  try 'has no name of letters' <<<'export default { name: "../x" }'
  try 'could not be loaded' <<<'export default {'
  try 'could not be loaded: here' <<<'throw new Error("here")'
  try 'could not be loaded' <<<'import "./not-there.js"; export default { name: "a" }'
  try 'has a hook that is no function: dumpExtFile' <<<'export default { name: "a", dumpExtFile: 1 }'
  try 'has a hook that criu does not know: dumpExtFiles' <<<'export default { name: "a", dumpExtFiles() {} }'
  try 'has dumpExtFile, but not restoreExtFile' <<<'export default { name: "a", dumpExtFile() {} }'
  try 'has the hook dumpExtMount: mount namespaces are not supported yet' <<<'export default { name: "a", dumpExtMount() {} }'
  try 'has the hook dumpExtLink: network namespaces are not supported yet' <<<'export default { name: "a", dumpExtLink() {} }'
  echo 'export default { name: "a" }' | plugin two.js
  try 'has the name of another one: a' <<<'export default { name: "a" }'
  rm /mnt/plugins/*
  refuses 'which does not exist' dump -t $pid -D images -L /mnt/nothing
  whole
  dump -R
  ends
`,
)

scenario(
  'code that others could change is not loaded',
  `${functions}
  begin pipes content
  good() { rm -rf /mnt/plugins; mkdir /mnt/plugins; echo 'export default { name: "a" }' | plugin a.js; }
  denied() { refuses "directory that root alone can change: $1" dump -t $pid -D images -L \${2:-/mnt/plugins}; nothing_in images; }
  good; chmod 777 /mnt/plugins; denied '/mnt/plugins can be written by others'
  good; chmod 775 /mnt/plugins; denied '/mnt/plugins can be written by others'
  good; chown 1000 /mnt/plugins; denied '/mnt/plugins belongs to another user .1000'
  good; chmod 666 /mnt/plugins/a.js; denied '/mnt/plugins/a.js can be written by others'
  good; chown 1000 /mnt/plugins/a.js; denied '/mnt/plugins/a.js belongs to another user'
  good; mkdir /mnt/plugins/lib; : >/mnt/plugins/lib/b.js; chmod 666 /mnt/plugins/lib/b.js; denied '/mnt/plugins/lib/b.js can be written by others'
  good; echo 'export default { name: "b" }' >/mnt/b.js; ln -s /mnt/b.js /mnt/plugins/b.js; denied '/mnt/plugins/b.js leads out of it'
  good; chmod 1777 /mnt; denied '/mnt can be written by others'; chmod 755 /mnt
  good; mkdir -m 777 /mnt/open; mv /mnt/plugins /mnt/open/; ln -s /mnt/open/plugins /mnt/plugins; denied '/mnt/open can be written by others'
  rm /mnt/plugins
  good
  dump -R
  whole
  ends
`,
)

import { expect, test } from 'bun:test'
import { scenario } from './scenario.ts'

/**
 * Wrong input, a row each: criu says in one sentence what is wrong, ends with 1 within five seconds, and
 * leaves nothing that was not there: no file, process or mount; the tree runs on. More of it, with
 * stories of their own, is in bad-input.test.ts; damage at random is in tests/fuzz.
 */

const functions = `
  around() {
    processes >processes.now # before anything runs that would be one of them
    cut -d' ' -f1,3 processes.now
    find . ! -name out ! -name job.log ! -name '*.before' ! -name '*.now' | sort
    cat /proc/self/mountinfo
  }
  settled() { around >around.before; }
  # denied REGEX ARGUMENT ...
  denied() {
    rm -f job.log out
    timeout -s KILL 5 \${as:-} "$program" "\${@:2}" >out 2>&1
    local status=$?
    [ $status = 1 ] || failed "criu \${*:2} ended with $status, not 1"
    cat out job.log 2>/dev/null | grep -aqE -e "$1" || failed "criu \${*:2}: no line matches: $1"
    ! cat out job.log 2>/dev/null | grep -aqE 'nobody foresaw|at fault' || failed "an internal error"
    [ ! -e job.log ] || one_error
    local i
    for i in 1 2 3 4 5 6 7 8 9 10; do
      around >around.now; true
      cmp -s around.before around.now && return
      sleep 0.05
    done
    diff around.before around.now >&2
    failed "criu \${*:2} left something"
  }
`

/** A regular expression for what is said, and the arguments. */
type Row = readonly [says: string, args: string]

let count = 0

function denied(rows: readonly Row[]): string {
  count += rows.length
  return rows
    .map(([says, args]) => `  denied '${says.replaceAll("'", "'\\''")}' ${args}`)
    .join('\n')
}

/** A row for each of some values. */
const each = <T>(values: readonly T[], row: (value: T) => Row): Row[] => values.map(row)

const dump = 'dump -t $pid -D images -o ../job.log'
const running = `
  ${functions}
  begin threads in-several-processes 2
  mkdir images empty
  settled
`
const goesOn = `
  nothing_in images
  whole
  ends
`

const numbers: readonly string[] = ['x', '-1', '1.5', '0x10', '1e3', "''", '99999999999999999999']

scenario(
  'values that an option cannot have',
  `${running}
${denied([
  ...each(numbers, (value): Row => ['-t (must be|needs)', `dump -D images -t ${value}`]),
  ...each(
    ['0', '4194304', '99999999'],
    (value): Row => ['-t must be a pid', `dump -D images -t ${value}`],
  ),
  ...each(numbers, (value): Row => ['--timeout (must be|needs)', `${dump} --timeout ${value}`]),
  ...each(
    ['1X', '-5', 'K', '1KK', '1.5M', "''", '999999999999G'],
    (value): Row => ['--ghost-limit (must be|needs)', `${dump} --ghost-limit ${value}`],
  ),
  ...each(
    ['fast', 'all,fast', 'cpu;fpu', '!'],
    (value): Row => ['cpu-cap.*knows', `${dump} --cpu-cap='${value}'`],
  ),
  ...each(
    ['ipfilter', 'NFTABLES', "''"],
    (value): Row => ['--network-lock', `${dump} --network-lock ${value}`],
  ),
  ...each(
    ['md5', "''"],
    (value): Row => ['--file-validation', `${dump} --file-validation ${value}`],
  ),
  ...each(['-1', 'x', '1.5', ''], (value): Row => ['-v', `${dump} -v${value || "''"}x`]),
  ...each(['x', '-1', '9999999'], (value): Row => ['--close', `${dump} --close ${value}`]),
  ...each(
    ['net', 'file', 'file[', 'file[]', 'file[x]', 'mnt', '[]', 'file[1:2'],
    (value): Row => ['--external', `${dump} --external '${value}'`],
  ),
  ...each(
    ['leave-running', 'shell-job', 'tcp-established', 'file-locks'],
    (name): Row => [`--${name}.*value`, `${dump} --${name}=maybe`],
  ),
  ...each(
    ['-t', '-D', '-o', '-W', '--timeout', '--ghost-limit', '--action-script', '--config'],
    (name): Row => [`${name} needs a`, `dump ${name}`],
  ),
])}
${goesOn}`,
)

scenario(
  'options that no command has, that are of another one, or that are not built yet',
  `${running}
${denied([
  ...each(
    ['--leave-runing', '--tre', '-Z', '--', '---', '--=x', '--no-', '--no-tree', '--no-nothing'],
    (name): Row => [
      'no option of criu|not expected|takes|needs|cannot',
      `dump -D images ${name} -t $pid`,
    ],
  ),
  ...each(
    ['dmp', 'DUMP', 'dump-all', '1', 'dump,restore'],
    (name): Row => ['no command of criu', `${name} -t $pid`],
  ),
  ...each(['stray', '$pid', '/'], (word): Row => ['not expected', `${dump} ${word}`]),
  ...each(
    ['dry-run', 'feature x', 'extra', 'daemon', 'html x', 'json'],
    (name): Row => [name.split(' ')[0]!, `${dump} --${name}`],
  ),
  ...each(
    [
      'track-mem',
      'auto-dedup',
      'prev-images-dir x',
      'page-server',
      'lazy-pages',
      'stream',
      'manage-cgroups',
      'ext-mount-map a:b',
      'allow-uprobes',
      'port 1',
    ],
    (name): Row => [`${name.split(' ')[0]}`, `${dump} --${name}`],
  ),
  ...each(
    ['pre-dump', 'page-server', 'lazy-pages', 'dedup'],
    (name): Row => ['not supported yet', `${name} -t $pid -D images`],
  ),
  ...each(
    ['-R -s', '--leave-running --leave-stopped'],
    (both): Row => ['leave', `${dump} ${both}`],
  ),
])}
${goesOn}`,
)

scenario(
  'configuration files that are not there, or say what nobody knows',
  `${running}
  mkdir conf; printf 'no-such-option\\n' >conf/unknown; printf 'timeout x\\n' >conf/value; printf 'tree\\n' >conf/missing
  printf '\\0\\377\\n' >conf/binary; printf 'timeout "5\\n' >conf/quote; chmod 0 conf/quote; printf 'leave-running yes\\n' >conf/flag
  settled
${denied([
  ['configuration file.*does not exist', `${dump} --config none`],
  ['configuration file', `${dump} --config conf`],
  ['no-such-option', `${dump} --config conf/unknown`],
  ['timeout', `${dump} --config conf/value`],
  ['tree', 'dump -D images --config conf/missing'],
  ['conf/binary|no option', `${dump} --config conf/binary`],
  ['leave-running', `${dump} --config conf/flag`],
])}
${goesOn}`,
)

scenario(
  'directories, logs and pid files that cannot be',
  `${running}
  touch file; ln -s loop loop; mkdir ro full; mount -t tmpfs -o ro none ro; mount -t tmpfs -o size=4k,nr_inodes=3 none full
  long=$(printf 'x%.0s' $(seq 300))
  settled
${denied([
  ...each(
    [
      'none',
      'none/deep',
      '$long',
      "''",
      'loop',
      'file',
      'file/below',
      '/proc/self/mem',
      '/dev/null',
    ],
    (value): Row => [
      'images-dir|-D|File name too long|Too many levels',
      `dump -t $pid -D ${value}`,
    ],
  ),
  ...each(
    ['none', 'file', 'loop'],
    (value): Row => ['work-dir|-W|Too many levels', `dump -t $pid -D images -W ${value}`],
  ),
  ...each(
    ['none/log', '.', '/proc/nope', '../loop', '../ro/log', '$long'],
    (value): Row => ['log', `dump -t $pid -D images -o ${value}`],
  ),
  ['Read-only file system', 'dump -t $pid -D ro'],
  ['No space left on device.*(room|space)', 'dump -t $pid -D full -o $dir/job.log'],
  ...each(
    ['none', 'file', 'loop', '/dev/null'],
    (value): Row => ['images-dir|-D|Too many levels', `restore -D ${value}`],
  ),
  ['inventory', 'restore -D empty'],
  ['inventory', 'restore -D /proc'],
])}
  umount ro full
${goesOn}`,
)

scenario(
  'roots that cannot be dumped',
  `${running}
  sh -c 'exec unshare --pid --fork sleep 1000' & below=$!
  within 5 '[ -n "$(cat /proc/$below/task/$below/children)" ]'
  mkdir foreign; child=$(tr -d ' ' </proc/$below/task/$below/children)
  settled
${denied([
  ...each(
    ['31000', '32767', '4000000'],
    (pid): Row => ['is gone: no such process', `dump -D images -t ${pid}`],
  ),
  ['tree.*init of this pid namespace', 'dump -D images -t 1'],
  ['from which criu was started', 'dump -D images -t $$'],
  ['pid namespace', 'dump -D images -t $child -o ../job.log'],
  ['pid namespace', 'dump -D images -t $below -o ../job.log'],
  ['images-dir', 'dump -D $pid -t $pid'],
])}
  kill -KILL $child $below 2>/dev/null; wait $below
${goesOn}`,
)

test('rows', () => expect(count).toBeGreaterThan(100))

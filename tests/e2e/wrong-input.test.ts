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
    find . ! -name out ! -name changes ! -name job.log ! -name '*.before' ! -name '*.now' | sort
    cat /proc/self/mountinfo
  }
  settled() { around >around.before; }
  # denied REGEX ARGUMENT ...
  denied() {
    rm -f job.log out
    timeout -s KILL 5 \${as:-} "$program" "\${@:2}" >out 2>&1
    local status=$?
    [ $status = 1 ] || failed "criu \${*:2} ended with $status, not 1 (\${what:-})"
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

const dumped = `
  ${functions}
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images
  gone
  cp -a images good
  images() { (cd good; ls -d $1); }
  fresh() { rm -rf images; cp -a good images; [ -z "\${1:-}" ] || rm -rf images/$1; }
  restore="restore -d -D images -o $dir/job.log"
  # Denied for each image of those patterns, once "$2" was done to it.
  for_each() {
    local file
    for file in $(cd good; ls $1); do
      fresh
      (cd images; eval "$2") || failed "$2"
      settled
      denied "\${3:-$file}" $restore
      told=$((\${told:-0} + 1))
    done
  }
  rows() { [ \${told:-0} -ge $1 ] || failed "\${told:-0} rows, not $1"; }
`
const comesBack = `
  fresh
  works restore -d -D images
  whole
  ends
`
const images = 'inventory.img pstree.img core-* ids-* mm-* fs-* fdinfo-* files.img'

/** So many images the subject has at least, for which a row stands. */
function forEach(least: number, change: string, says = ''): string {
  count += least
  return `
  told=0
  for_each '${images}' '${change}' '${says}'
  rows ${least}`
}

scenario(
  'images that are something else',
  `${dumped}
${[
  forEach(15, 'rm $file; mkdir $file'),
  forEach(15, 'rm $file; mkfifo $file'),
  forEach(15, 'rm $file; ln -s /dev/zero $file'),
  forEach(15, 'rm $file; ln -s $file $file'),
  forEach(15, 'cp stats-dump $file'),
  forEach(15, 'head -c 100 /dev/urandom >$file'),
  forEach(15, 'truncate -s +1G $file'),
].join('\n')}
${comesBack}`,
  240,
)

const root = 'core-$pid.img'
scenario(
  'images that contradict each other, or this machine',
  `${dumped}
  # json FILE PROGRAM: changes an image by a line of Python, where d is its content.
  json() { crit decode -i images/$1 -o $1.json && python3 -c "import json,sys; d=json.load(open('$1.json')); e=d['entries']; $2; json.dump(d,open('$1.json','w'))" && crit encode -i $1.json -o images/$1; rm -f $1.json; }
  wrong() { what="$1: $2"; fresh; json "$1" "$2" >out 2>&1 || failed "$1: $2"; settled; denied "$3" $restore; }
  child=$(crit show good/pstree.img | sed -n 's/.*"pid": \\([0-9]*\\).*/\\1/p' | sort -n | tail -n 1)
${contradictions()}
${comesBack}`,
  240,
)

function contradictions(): string {
  const rows: readonly (readonly [file: string, change: string, says: string])[] = [
    ['inventory.img', "e[0]['img_version']=3", 'version 3'],
    ['inventory.img', "e[0]['img_version']=0", 'version 0'],
    ['pstree.img', "e[0]['pid']=99", 'core-99[.]img'],
    ['pstree.img', "e[1]['pid']=e[0]['pid']", 'pstree'],
    ['pstree.img', "e[1]['ppid']=4000", 'without a parent'],
    ['pstree.img', "e[0]['ppid']=e[1]['pid']", 'without a parent'],
    ['pstree.img', "e[1]['ppid']=e[1]['pid']", 'one tree'],
    ['pstree.img', "e[0]['threads'].append(e[1]['pid'])", 'twice'],
    ['pstree.img', "e[0]['threads'].append(4194305)", 'core-4194305'],
    ['pstree.img', "e[1]['sid']=4000", 'session|group'],
    ['pstree.img', 'e.clear()', 'no process'],
    [root, "e[0]['mtype']='AARCH64'", 'x86-64'],
    [root, "e[0]['tc']['task_state']=9", 'task state'],
    [root, "del e[0]['thread_info']", 'registers|crit'],
    ['mm-$pid.img', "e[0]['vmas'][0]['start']='0x1'", 'whole pages|range'],
    ['mm-$pid.img', "e[0]['vmas'].reverse()", 'out of order'],
    ['mm-$pid.img', "e[0]['vmas'].append(e[0]['vmas'][0])", 'out of order'],
    ['mm-$pid.img', "e[0]['exe_file_id']=999", 'file 999, which no image has'],
    ['fs-$pid.img', "e[0]['cwd_id']=999", 'file 999, which no image has'],
    ['fs-$pid.img', "e[0]['root_id']=999", 'file 999, which no image has'],
    ['fdinfo-2.img', "e[0]['id']=999", 'file 999, which no image has'],
    ['fdinfo-2.img', "e[0]['fd']=e[1]['fd']", 'twice'],
    ['fdinfo-2.img', "e[0]['fd']=2147483648", 'twice|descriptor'],
    ['fdinfo-2.img', "e[0]['fd']=2147483647", 'descriptor 2147483647.*ulimit'],
    ['files.img', "e[0]['id']=e[1]['id']", 'second time'],
    ['files.img', "e[0]['reg']['name']='/no/such/file'", '/no/such/file'],
    ['files.img', "e[0]['reg']['name']=''", 'files[.]img|open|name'],
    ['pagemap-$pid.img', "e[1]['nr_pages']=99999", 'pagemap|pages'],
    ['pagemap-$pid.img', "e[1]['vaddr']='0x1000'", 'pagemap|pages'],
    ['pagemap-$pid.img', "e[0]['pages_id']=77", 'pages-77'],
    ['ids-$pid.img', "e[0]['files_id']=77", 'fdinfo-77'],
  ]
  count += rows.length
  return rows.map(([file, change, says]) => `  wrong ${file} "${change}" '${says}'`).join('\n')
}

const capabilities =
  'chown dac_override kill setgid setuid net_admin sys_ptrace sys_admin sys_nice mknod checkpoint_restore setpcap'
count += 2 * capabilities.split(' ').length + 4

scenario(
  'privileges that are missing: what is done is done right, what is not is told',
  `
  ${functions}
  begin threads in-several-processes 2
  chmod 777 $dir
  mkdir images good
  works dump -t $pid -D good -R
  chmod -R a+rX good
  settled
  without="setpriv --bounding-set"
  for name in ${capabilities}; do
    if criu_as="setpriv --bounding-set -$name" && $criu_as "$program" dump -t $pid -D images -R -o ../job.log >out 2>&1; then
      works restore -D images --dry-run
    else
      rm -rf images; mkdir images
      as="$criu_as" denied 'root|CAP_|ptrace|permitted|refused|needs' dump -t $pid -D images -R -o ../job.log
      nothing_in images
    fi
    whole
    rm -rf images; mkdir images
  done
  nobody="setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all,+checkpoint_restore --ambient-caps=-all,+checkpoint_restore"
  for who in "$nobody" "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all"; do
    chmod 777 images
    settled
    as="$who" denied 'root' dump -t $pid -D images
    $who "$program" restore -D $dir/good --dry-run >out 2>&1 || failed "a plan needs no privileges"
    kept=$pid
    as="$who" denied 'root|taken|needs|permitted' restore -d -D $dir/good
  done
  whole
  kill -KILL $(cat /proc/$pid/task/*/children) $pid; gone
  settled
  as="$nobody" denied 'root|needs|ermitted' restore -d -D $dir/good
  for name in ${capabilities}; do
    if setpriv --bounding-set -$name "$program" restore -d -D good -o ../job.log >out 2>&1; then
      goes_on
      kill -KILL $(cat /proc/$pid/task/*/children) $pid; gone
      settled
    else
      as="setpriv --bounding-set -$name" denied 'root|CAP_|permitted|needs|Operation' restore -d -D good -o ../job.log
    fi
  done
`,
  240,
)

const dumpHooks = ['pre-dump', 'network-lock', 'post-dump']
const restoreHooks = [
  'pre-restore',
  'setup-namespaces',
  'post-setup-namespaces',
  'post-restore',
  'network-unlock',
  'pre-resume',
]

scenario(
  'action scripts that fail, and images that vanish meanwhile',
  `${dumped}
  at() { printf '#!/bin/sh\\n[ "$CRTOOLS_SCRIPT_ACTION" != %s ] || %s\\n' "$1" "$2" >hook; chmod +x hook; settled; }
  fresh; works restore -d -D images; rm -rf images; mkdir images
  ${dumpHooks
    .map(
      (hook) => `
  at ${hook} 'exit 3'
${denied([[`script.*failed at ${hook}: exited with 3`, `${dump} --action-script $dir/hook`]])}
  at ${hook} 'kill -KILL $$'
${denied([[`script.*failed at ${hook}: was killed by signal 9`, `${dump} --action-script $dir/hook`]])}
  nothing_in images`,
    )
    .join('\n')}
  chmod -x hook; settled
${denied([
  ['script.*could not be started|executable|action-script', `${dump} --action-script $dir/hook`],
  ['script|action-script', `${dump} --action-script $dir/none`],
  ['script|action-script', `${dump} --action-script "no-such-command-at-all"`],
])}
  chmod +x hook
  printf '#!/bin/sh\\nrm -rf %s/images\\n' $dir >hook; settled
  for hook in pre-dump network-lock; do
    printf '#!/bin/sh\\n[ $CRTOOLS_SCRIPT_ACTION != %s ] || rmdir %s/images\\n' $hook $dir >hook
    mkdir -p images
    timeout -s KILL 5 "$program" dump -t $pid -D images -o $dir/job.log --action-script $dir/hook >out 2>&1
    [ $? = 1 ] || failed "images that vanished"
    one_error
    grep -q 'No such file or directory' job.log || failed "it is not told"
  done
  whole
  kill -KILL $(cat /proc/$pid/task/*/children) $pid; gone
  fresh
  ${restoreHooks
    .map(
      (hook) => `
  at ${hook} 'exit 3'
${denied([[`script.*failed at ${hook}: exited with 3`, `restore -d -D images -o $dir/job.log --pidfile $dir/pidfile --action-script $dir/hook`]])}`,
    )
    .join('\n')}
  touch pidfile; settled
${denied([
  ['pidfile|exists', 'restore -d -D images -o $dir/job.log --pidfile $dir/pidfile'],
  ['pidfile|directory', 'restore -d -D images -o $dir/job.log --pidfile $dir/none/pidfile'],
  ['inherit-fd', 'restore -d -D images --inherit-fd fd[99]:x'],
  ['inherit-fd', 'restore -d -D images --inherit-fd 99:x'],
  ['inherit-fd', 'restore -d -D images --inherit-fd fd[0]'],
  ['', 'restore -d -D images -- /bin/true'],
  ['exec-cmd|command', 'restore -d -D images --exec-cmd -- /no/such/program'],
  ['restore-sibling|-S', 'restore -S -D images'],
])}
${comesBack}`,
  240,
)

test('there are two hundred rows and more', () => expect(count).toBeGreaterThan(200))

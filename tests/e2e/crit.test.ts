import { afterAll, beforeAll, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build, criuPath } from '../harness/live.ts'

/**
 * Debian's crit, an independent program, makes sense of what our dumps wrote: of the demo's workload,
 * and of subjects of the live tests that between them make every kind of image.
 */
const checkout = resolve(import.meta.dir, '../..')
let directory = ''
const images = (): string => join(directory, 'images')

function run(command: readonly string[]): string {
  const done = Bun.spawnSync([...command], { cwd: directory, stdin: 'ignore' })
  if (done.exitCode !== 0) throw new Error(`${command.join(' ')}: ${done.stdout}${done.stderr}`)
  return done.stdout.toString()
}

const dumpWorkload = `
env -i PATH="$PATH" setsid sh "$2" . </dev/null >/dev/null 2>&1 &
pid=$!
for i in $(seq 200); do
  [ -s counter.out ] && [ -s pipeline.out ] && break
  sleep 0.05
done
# A moment without a zombie (of a sleep): crit x looks for descriptors and mappings of all processes.
for i in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf images
  mkdir images
  "$1" dump -t $pid -D images --leave-running -o "$PWD/dump.log" -v4 || exit 1
  [ $(crit x images ps | sed 1d | wc -l) = $(ls images/mm-*.img | wc -l) ] && exit 0
done
exit 1
`

const subjects = [
  'ghosts unlinked',
  'memory shared-by-unrelated',
  'memory memfd-shared',
  'memory copy-on-write',
  'seccomp synchronised',
  'timers clocks',
  'timers of-child',
  'threads several 3',
  'pipes pieces',
  'pipes fifo-content',
  'files shared-table',
  'files position',
  'events clocks',
  'events level',
  'events epoll-signals',
  'signals thread-queue',
  'credentials per-thread',
  'trees zombies',
  'trees dead-session-leader',
  'restart futex',
]
/** It shares our terminal. */
const terminal = 'terminal shared'
const nameOf = (subject: string): string => subject.replaceAll(' ', '-')

/** Each in a directory of its own, one after the other; what failed is said in the end. */
const dumpSubjects = `
criu=$1 programs=$2 here=$3 options=$4
shift 4
for subject in "$@"; do
  dir=$PWD/$(echo "$subject" | tr ' ' -)
  mkdir -p "$dir/images"
  chmod 755 "$dir"
  program=\${subject%% *}
  env -i PATH="$PATH" "$programs/$program" $here "$dir" \${subject#* } &&
    "$criu" dump -t "$(cat "$dir/pid")" -D "$dir/images" -o "$dir/dump.log" -v4 $options ||
    failed="$failed $subject;"
done
[ -z "$failed" ] || { echo "not dumped:$failed" >&2; exit 1; }
`

beforeAll(async () => {
  await build()
  directory = mkdtempSync(join(tmpdir(), 'criu-crit-'))
  chmodSync(directory, 0o755)
  mkdirSync(images())
  const program = join(directory, 'counter')
  run(['cc', '-pthread', '-o', program, join(checkout, 'demo/counter.c')])
  const init = join(checkout, 'tests/.build/init')
  const workload = join(checkout, 'demo/workload.sh')
  run([init, '100', 'sh', '-c', dumpWorkload, 'sh', criuPath(), workload])
  const programs = join(checkout, 'tests/.build')
  const dump = ['sh', '-c', dumpSubjects, 'sh', criuPath(), programs]
  run([init, '200', ...dump, '', '', ...subjects])
  const onTerminal = [join(programs, 'onpty'), ...dump, '--here', '--shell-job', terminal]
  run([init, '50', ...onTerminal])
}, 300_000)

afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** What `crit decode` does, of all images by one Python (Debian's, where crit's modules are). */
const decodeAll = `
import sys
import pycriu
for path in sys.argv[1:]:
    try:
        with open(path, 'rb') as f:
            print(path, len(pycriu.images.load(f, True)['entries']))
    except Exception as e:
        print(path, 'FAILED', repr(e))
`

const imagesOf = (subject: string): string => join(directory, nameOf(subject), 'images')

function decodable(path: string): string[] {
  const isImage = (name: string): boolean =>
    (name.endsWith('.img') && !name.startsWith('pages-')) || name.startsWith('stats-')
  return readdirSync(path)
    .filter(isImage)
    .map((name) => join(path, name))
}

test('it decodes every image', () => {
  const files = [images(), ...[...subjects, terminal].map(imagesOf)].flatMap(decodable)
  const lines = run(['/usr/bin/python3', '-c', decodeAll, ...files])
  expect(lines.split('\n').filter((line) => line.includes('FAILED'))).toEqual([])
  expect(lines.trimEnd().split('\n')).toHaveLength(files.length)
})

test('these images are of many kinds', () => {
  const names = [images(), ...[...subjects, terminal].map(imagesOf)].flatMap(decodable)
  const kinds = new Set(names.map((name) => /([a-z-]+?)(?:-\d+)?(?:\.img)?$/.exec(name)?.[1]))
  const expected = [
    'core',
    'fdinfo',
    'fifo-data',
    'files',
    'fs',
    'ghost-file',
    'ids',
    'inventory',
    'memfd',
    'mm',
    'pagemap',
    'pagemap-shmem',
    'pipes-data',
    'pstree',
    'remap-fpath',
    'seccomp',
    'stats-dump',
    'timens',
    'tty-info',
  ]
  expect([...kinds]).toEqual(expect.arrayContaining(expected))
})

test('crit x shows the tree, descriptors, mappings and resident pages of subjects', () => {
  for (const subject of subjects.filter((_, i) => i % 3 === 0))
    for (const what of ['ps', 'fds', 'mems', 'rss'])
      expect(run(['crit', 'x', imagesOf(subject), what])).not.toBe('')
}, 100_000)

test('crit x names deleted files, shared memory, threads and the dead', () => {
  const show = (subject: string, what: string): string =>
    run(['crit', 'x', imagesOf(subject), what])
  expect(show('ghosts unlinked', 'fds')).toContain('/ghosts-unlinked/ghost')
  expect(show('memory shared-by-unrelated', 'mems').match(/shmem\[1\]/g)).toHaveLength(2)
  expect(show('trees zombies', 'ps').trimEnd().split('\n').length).toBeGreaterThan(2)
  expect(show('ghosts unlinked', 'rss')).toMatch(/^\t[0-9a-f]+ \/ \d+/m)
}, 30_000)

test('crit decode and crit encode give back the same bytes', () => {
  for (const name of ['pstree.img', 'inventory.img', 'files.img']) {
    run(['crit', 'decode', '-i', join(images(), name), '-o', 'decoded'])
    run(['crit', 'encode', '-i', 'decoded', '-o', 'encoded'])
    run(['cmp', 'encoded', join(images(), name)])
  }
})

test('crit x ps shows the tree', () => {
  const text = run(['crit', 'x', images(), 'ps'])
  expect(text.match(/\d+ +\d+ +\d+ .*\bcounter$/gm)).toHaveLength(2)
  expect(text).toMatch(/\bsed$/m)
  expect(text).toMatch(/\bsh$/m)
})

test('crit x fds shows files and pipes', () => {
  const text = run(['crit', 'x', images(), 'fds'])
  expect(text).toContain(join(directory, 'counter.log'))
  expect(text).toMatch(/pipe\[\d+\]/)
  expect(text).toContain(`cwd: ${directory}`)
})

test('crit x mems shows mappings', () => {
  const text = run(['crit', 'x', images(), 'mems'])
  expect(text).toMatch(new RegExp(`exe +${join(directory, 'counter')}`))
  expect(text).toMatch(/\[stack\??\]/)
  expect(text).toMatch(/libc\.so/)
})

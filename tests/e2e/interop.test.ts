import { afterAll, beforeAll, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, criuPath } from '../harness/live.ts'

/** Images that upstream CRIU 4.2 wrote, of programs of Debian 12; `state` is what `objects` has open. */
const fixtures = join(import.meta.dir, 'fixtures')
const init = join(import.meta.dir, '../.build/init')
let directory = ''

function run(command: readonly string[], status = 0): string {
  const done = Bun.spawnSync([...command], { cwd: directory, stdin: 'ignore' })
  const said = `${done.stdout}${done.stderr}`
  if (done.exitCode !== status) throw new Error(`${command.join(' ')}: ${done.exitCode}\n${said}`)
  return said
}

beforeAll(async () => {
  await build()
  directory = mkdtempSync(join(tmpdir(), 'criu-interop-'))
  chmodSync(directory, 0o755)
  for (const name of ['sleep', 'objects', 'state'])
    run(['tar', '-xJf', join(fixtures, `${name}.tar.xz`)])
})

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
  rmSync('/tmp/criu-interop', { recursive: true, force: true })
})

/** In a pid namespace of its own, where 30101 is free; what the kernel then tells of that task. */
const restoreSleep = `
"$1" restore -D "$2" -d -o ../restore.log -v4 || { tail -n 20 restore.log; exit 1; }
describe() {
  awk '{ print "group", $5, "session", $6, "parent", $4, "state", $3 }' /proc/30101/stat
  tr '\\0' ' ' </proc/30101/cmdline; echo
  readlink /proc/30101/exe
  for fd in $(ls /proc/30101/fd | sort -n); do
    echo "fd $fd: $(readlink /proc/30101/fd/$fd | sed 's/pipe:.*/pipe/')"
  done
  # clock_nanosleep, or the restart_syscall that goes on with one
  grep -qE '^(230|219) ' /proc/30101/syscall && echo it sleeps
}
for i in 1 2 3 4 5 6 7 8 9 10; do grep -q 'State:.S' /proc/30101/status || sleep 0.1; done
describe
sleep 0.5
describe >later
describe | cmp - later || exit 1
if [ -n "$3" ]; then
  mkdir "$3" && "$1" dump -t 30101 -D "$3" -o ../dump.log -v4 || { tail -n 20 dump.log; exit 1; }
else
  kill -TERM 30101
fi
for i in 1 2 3 4 5 6 7 8 9 10; do [ -e /proc/30101 ] && sleep 0.05; done
[ ! -e /proc/30101 ]
`

const sleeping = [
  'group 30101 session 30101 parent 1 state S',
  '/usr/bin/sleep 1000000 ',
  '/usr/bin/sleep',
  'it sleeps',
]

test('sleep, dumped by upstream, goes on to sleep here, and once more from our own images', () => {
  const first = run([init, '60', 'sh', '-c', restoreSleep, 'sh', criuPath(), 'sleep', 'again'])
  expect(first.split('\n')).toEqual(expect.arrayContaining(sleeping))
  expect(first).toContain('fd 0: /dev/null\nfd 1: /dev/null\nfd 2: /dev/null\n')
  const second = run([init, '60', 'sh', '-c', restoreSleep, 'sh', criuPath(), 'again', ''])
  expect(second).toBe(first)
})

/** The files that it has open are where they were, for the processes of this test alone. */
const restoreObjects = `
ip link set lo up
mkdir -p /tmp/criu-interop && mount --bind criu-interop /tmp/criu-interop || exit 1
"$1" restore -D objects -d -o ../objects.log -v4 || { grep -a 'Error (' objects.log; exit 1; }
sleep 1.5
mkdir ours
"$1" dump -t 30001 -D ours -o ../dump.log -v4 -R --tcp-established || { grep -a 'Error (' dump.log; exit 1; }
sleep 1
kill -KILL 30001 30005
cat /tmp/criu-interop/*.log
`

test('objects, dumped by upstream, go on here: files, memory, pipes, sockets, timers', () => {
  const command = ['sh', '-c', restoreObjects, 'sh', criuPath()]
  const said = run(['unshare', '--net', init, '60', ...command])
  expect(said).not.toContain('BAD')
  // Upstream's dump came after some fifteen rounds; both processes go on to count.
  expect(said.match(/^ok 18$/gm)).toEqual(['ok 18', 'ok 18'])
}, 60_000)

/**
 * Where our images of that tree may say something else than upstream's: what is new in each life of an
 * object (numbers of inodes, ids within the images), and what goes on while the tree runs.
 */
const MAY_DIFFER: readonly (readonly [RegExp, string])[] = [
  [/gpregs|fpregs|\.rseq/, 'registers'],
  [/timers\.|\.reg\.pos$|\.usk\.peer$/, 'time that went by, logs that grew, inodes of peers'],
  [/\.(id|ino|inode|inode_id|pipe_id|shmid|exe_file_id|dev)$/, 'ids and inodes'],
  [/\.tc\.flags$/, 'PF_SUPERPRIV: it has used a privilege, of ours'],
  [
    /vmas\[\d+\]\.(fdflags|flags|status)$/,
    'shared anonymous memory, to upstream a memfd /dev/zero',
  ],
]

test('what we dump of it decodes, by Debian’s crit, to what upstream had dumped, field by field', () => {
  const found = differences(treeOf('objects'), treeOf('ours'))
  const unexpected = found.filter(({ path }) => !MAY_DIFFER.some(([regex]) => regex.test(path)))
  expect(unexpected).toEqual([])
})

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
/** Of what crit prints: the fields that are looked at here. */
interface Entry {
  readonly id: number
  readonly pid: number
  readonly threads: readonly number[]
  readonly fd: number
  readonly tfd: number
  readonly files_id: number
  readonly cwd_id: number
  readonly root_id: number
  readonly umask: number
  readonly epfd?: { readonly tfd: readonly Entry[] }
  readonly [name: string]: unknown
}

const entriesOf = (images: string, name: string): Entry[] =>
  JSON.parse(run(['crit', 'show', `${images}/${name}.img`])).entries

/** All that the images tell of each process, with its files in the place of their ids. */
function treeOf(images: string): Json {
  const files = new Map(entriesOf(images, 'files').map((entry) => [entry.id, entry]))
  const tasks = entriesOf(images, 'pstree').map(({ pid, threads, ...task }) => {
    const [{ files_id }] = entriesOf(images, `ids-${pid}`) as [Entry]
    const [{ cwd_id, root_id, umask }] = entriesOf(images, `fs-${pid}`) as [Entry]
    const fds = entriesOf(images, `fdinfo-${files_id}`)
      .toSorted((a, b) => a.fd - b.fd)
      .map(({ id, ...fd }) => ({ ...fd, file: sorted(files.get(id)!) }))
    const [mm] = entriesOf(images, `mm-${pid}`)
    const cores = threads.map((tid: number) => entriesOf(images, `core-${tid}`)[0])
    return { ...task, fds, mm, cores, cwd: files.get(cwd_id), root: files.get(root_id), umask }
  })
  return tasks as unknown as Json
}

/** Targets of an epoll come in the order of the kernel's tree, which is that of addresses. */
function sorted(file: Entry): Entry {
  if (!file.epfd) return file
  return {
    ...file,
    epfd: { ...file.epfd, tfd: file.epfd.tfd.toSorted((a: Entry, b: Entry) => a.tfd - b.tfd) },
  }
}

interface Difference {
  readonly path: string
  readonly upstream: Json | undefined
  readonly ours: Json | undefined
}

function differences(upstream: Json | undefined, ours: Json | undefined, path = ''): Difference[] {
  const isNested = (value: Json | undefined) => typeof value === 'object' && value !== null
  if (!isNested(upstream) || !isNested(ours))
    return upstream === ours ? [] : [{ path, upstream, ours }]
  const [a, b] = [upstream, ours] as [Record<string, Json>, Record<string, Json>]
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].flatMap((name) =>
    differences(a[name], b[name], Array.isArray(a) ? `${path}[${name}]` : `${path}.${name}`),
  )
}

test('a dry run tells who is cloned by whom, without a pid to be free', () => {
  const said = run([criuPath(), 'restore', '-D', 'objects', '--dry-run'])
  expect(said).toContain('30005 is cloned by 30001')
})

test('Debian’s crit and a dry run tell of the same tree', () => {
  expect(run([criuPath(), 'restore', '-D', 'sleep', '--dry-run'])).toContain('30101 sleep: alive')
  expect(run(['crit', 'x', 'sleep', 'ps'])).toMatch(/30101 +30101 +30101 +sleep/)
})

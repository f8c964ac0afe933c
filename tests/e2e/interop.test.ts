import { afterAll, beforeAll, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, criuPath } from '../harness/live.ts'

/**
 * Images that upstream CRIU 4.2 wrote, of programs of Debian 12. Of `objects` the pages are left
 * out: they are not needed to see what is refused.
 */
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
  for (const name of ['sleep', 'objects-without-pages'])
    run(['tar', '-xJf', join(fixtures, `${name}.tar.xz`)])
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

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

/** What is not restored yet; all else of the tree is. */
const sockets = ['fd 9: socket (AF_INET, SOCK_STREAM, port 18765)']
const refused = [30001, 30005].flatMap((pid) =>
  sockets.map((socket) => `process ${pid} (python3), ${socket}`),
)

function refusal(text: string): string[] {
  return text.split('\n').flatMap((line) => /process \d+ \(.*$/.exec(line)?.[0] ?? [])
}

test('objects, dumped by upstream, is refused: its sockets are named, nothing else, nothing made', () => {
  const restore = 'exec "$1" restore -D objects -d -o ../refused.log -v4'
  const said = run([init, '60', 'sh', '-c', restore, 'sh', criuPath()], 1)
  expect(refusal(said)).toEqual(refused)
  const log = readFileSync(join(directory, 'refused.log'), 'utf8')
  expect(refusal(log.slice(log.indexOf('Error (')))).toEqual(refused)
  expect(log).not.toContain('create begins')
})

test('a dry run tells the same, without a pid to be free', () => {
  const said = run([criuPath(), 'restore', '-D', 'objects', '--dry-run'])
  expect(refusal(said)).toEqual(refused)
  expect(said).toContain('30005 is cloned by 30001')
})

test('Debian’s crit and a dry run tell of the same tree', () => {
  expect(run([criuPath(), 'restore', '-D', 'sleep', '--dry-run'])).toContain('30101 sleep: alive')
  expect(run(['crit', 'x', 'sleep', 'ps'])).toMatch(/30101 +30101 +30101 +sleep/)
})

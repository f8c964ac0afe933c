import { afterAll, beforeAll, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build, criuPath } from '../harness/live.ts'

/** Debian's crit, an independent program, makes sense of what a dump of the demo's workload wrote. */
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
"$1" dump -t $pid -D images --leave-running -o dump.log -v4
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
})

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

test('it decodes every image', () => {
  const files = readdirSync(images()).filter(
    (name) => (name.endsWith('.img') && !name.startsWith('pages-')) || name.startsWith('stats-'),
  )
  expect(files.length).toBeGreaterThan(30)
  const lines = run([
    '/usr/bin/python3',
    '-c',
    decodeAll,
    ...files.map((name) => join(images(), name)),
  ])
  expect(lines.split('\n').filter((line) => line.includes('FAILED'))).toEqual([])
  expect(lines.trimEnd().split('\n')).toHaveLength(files.length)
})

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

import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Browser } from '../harness/chromium.ts'
import { build, criuPath } from '../harness/live.ts'

/**
 * Views of images of upstream and of our own dumps, beside what Debian's crit says of them; a core
 * file in gdb; the page in Chromium.
 */
const checkout = resolve(import.meta.dir, '../..')
const fixtures = join(import.meta.dir, 'fixtures')
let directory = ''
const at = (...names: string[]): string => join(directory, ...names)

function tried(command: readonly string[]) {
  const done = Bun.spawnSync([...command], { cwd: directory, stdin: 'ignore' })
  return { status: done.exitCode, out: done.stdout.toString(), err: done.stderr.toString() }
}

function run(command: readonly string[]): string {
  const { status, out, err } = tried(command)
  if (status !== 0) throw new Error(`${command.join(' ')}: ${status}\n${out}${err}`)
  return out
}

const criu = (...words: string[]): string => run([criuPath(), ...words])

/** In a pid namespace of its own: a process with threads, and one that changes between two dumps. */
const dumps = `
env -i setsid ./backtrace $PWD/backtrace.pid </dev/null >/dev/null 2>&1 &
env -i PATH="$PATH" setsid python3 changes.py </dev/null >/dev/null 2>&1 &
for i in $(seq 200); do [ -s backtrace.pid ] && [ -s changes.pid ] && break; sleep 0.05; done
mkdir threads before after
"$1" dump -t $(cat backtrace.pid) -D threads -o dump.log -v4 || exit 1
pid=$(cat changes.pid)
"$1" dump -t $pid -D before -R || exit 1
touch change
for i in $(seq 200); do [ -e changed ] && break; sleep 0.05; done
"$1" dump -t $pid -D after
`

const changes = `
import ctypes, mmap, os, time
memory = mmap.mmap(-1, 64 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for i in range(64): memory[i * 4096] = 1
open('address', 'w').write(hex(ctypes.addressof(ctypes.c_char.from_buffer(memory))))
log = open('log', 'w')
gone = open('/etc/hostname')
open('changes.pid', 'w').write(str(os.getpid()))
while not os.path.exists('change'): time.sleep(.02)
memory[10 * 4096] = 2
memory[11 * 4096] = 2
log.write('more'); log.flush()
gone.close()
come = open('/etc/passwd')
extra = os.open('/etc/group', os.O_RDONLY)
open('changed', 'w').write('1')
while True: time.sleep(1)
`

beforeAll(async () => {
  await build()
  directory = mkdtempSync(join(tmpdir(), 'criu-show-'))
  chmodSync(directory, 0o755)
  for (const name of ['sleep', 'objects']) run(['tar', '-xJf', join(fixtures, `${name}.tar.xz`)])
  run([
    'cc',
    '-g',
    '-O1',
    '-fno-optimize-sibling-calls',
    '-pthread',
    '-o',
    'backtrace',
    join(import.meta.dir, 'backtrace.c'),
  ])
  writeFileSync(at('changes.py'), changes)
  run([join(checkout, 'tests/.build/init'), '60', 'sh', '-c', dumps, 'sh', criuPath()])
}, 200_000)

afterAll(() => rmSync(directory, { recursive: true, force: true }))

const all = ['sleep', 'objects', 'threads', 'after'] as const
/** Each image is a process or two here. */
const some = ['objects', 'threads'] as const

describe('views are those of crit x', () => {
  const lines = (text: string): string[] =>
    text
      .split('\n')
      .map((line) => line.trimEnd())
      .filter((line) => line.trim() !== '')

  /** Lines of both; where crit has no name for a thing, ours may have one. */
  function compare(ours: string, theirs: string, nameless: RegExp): void {
    const [mine, other] = [lines(ours), lines(theirs)]
    expect(mine).toHaveLength(other.length)
    for (const [i, line] of other.entries()) {
      if (!nameless.test(line)) expect(mine[i]).toBe(line)
      else expect(mine[i]!.split(/ {2,}|: /)[0]).toBe(line.split(/ {2,}|: /)[0])
    }
  }

  for (const name of all) {
    test(`ps, fds and mems of ${name}`, () => {
      const both = (view: string): [string, string] => [
        criu('show', name, view),
        run(['crit', 'x', name, view]),
      ]
      expect(lines(both('ps')[0])).toEqual(lines(both('ps')[1]))
      compare(...both('fds'), /: ([A-Z]+\.\d+|unix\[)/)
      compare(...both('mems'), / (rw-|r--)$|unknown path/)
    }, 30_000)
  }

  test('rss, of pagemaps that count as crit 3.17 knows it', () => {
    for (const name of all) {
      cpSync(at(name), at('old'), { recursive: true })
      for (const file of readdirSync(at('old')).filter((one) => one.startsWith('pagemap-'))) {
        const json = JSON.parse(criu('show', 'decode', `old/${file}`))
        for (const entry of json.entries.slice(1)) entry.compat_nr_pages = entry.nr_pages
        writeFileSync(at('json'), JSON.stringify(json))
        criu('show', 'encode', 'json', '-o', `old/${file}`)
      }
      expect(lines(criu('show', 'old', 'rss'))).toEqual(lines(run(['crit', 'x', 'old', 'rss'])))
      rmSync(at('old'), { recursive: true })
    }
  }, 60_000)

  test('the tree, files and sockets', () => {
    const tree = criu('show', '-D', 'objects')
    expect(tree).toContain('30001 /usr/bin/python3 /tmp/criu-interop/subject.py /tmp/criu-interop')
    expect(tree).toMatch(/\n└─ 30005 /)
    expect(tree).toContain('80 mappings, 3 threads, 18 descriptors, 5 sockets')
    expect(criu('show', 'objects', 'files')).toMatch(
      /29 +REG +rw +\/tmp\/criu-interop\/data.bin +30001:14 30005:14/,
    )
    expect(criu('show', 'objects', 'sockets')).toMatch(/inet +tcp +listening +0 +127.0.0.1:18765/)
    expect(criu('show', 'threads')).toMatch(/backtrace .*backtrace.pid\n.* 3 threads/)
  }, 30_000)

  test('each in JSON', () => {
    for (const view of ['tree', 'ps', 'fds', 'mems', 'rss', 'files', 'sockets', 'mounts'])
      JSON.parse(criu('show', 'objects', view, '--json'))
    const tree = JSON.parse(criu('show', 'objects', '--json'))
    expect(tree.processes.map(({ pid }: { pid: number }) => pid)).toEqual([30001, 30005])
  }, 30_000)
})

/**
 * For each image: crit's own JSON, ours as crit writes it again, and whether crit's JSON comes back as
 * the same bytes at all (it drops fields that it does not know).
 */
const byCrit = `
import base64, io, json, os, sys
import pycriu
source, ours, out = sys.argv[1:]
for name in sorted(os.listdir(ours)):
    try:
        with open(os.path.join(source, name), 'rb') as f: image = pycriu.images.load(f)
    except Exception as e:
        print(name, 'unknown'); continue
    with open(os.path.join(out, name + '.json'), 'w') as f: json.dump(image, f)
    with open(os.path.join(out, name + '.img'), 'wb') as f: pycriu.images.dump(image, f)
    with open(os.path.join(ours, name)) as f: image = json.load(f)
    with open(os.path.join(out, name + '.again'), 'wb') as f: pycriu.images.dump(image, f)
    print(name, 'written')
`

describe('one image as JSON and back', () => {
  const imagesOf = (name: string): string[] =>
    readdirSync(at(name)).filter((file) => !/^pages-|\.log$/.test(file))

  test('is the same bytes, every image', () => {
    for (const name of some) {
      for (const file of imagesOf(name)) {
        criu('show', 'decode', `${name}/${file}`, '-o', 'one.json')
        criu('show', 'encode', 'one.json', '-o', 'one.img')
        expect(readFileSync(at('one.img')).equals(readFileSync(at(name, file)))).toBe(true)
      }
    }
  }, 120_000)

  test('crit reads our JSON, and we read its: the same bytes', () => {
    let same = 0
    for (const name of some) {
      for (const part of ['ours', 'crits']) mkdirSync(at(part))
      for (const file of imagesOf(name))
        writeFileSync(at('ours', file), criu('show', 'decode', `${name}/${file}`))
      const said = run(['/usr/bin/python3', '-c', byCrit, name, 'ours', 'crits'])
      for (const file of imagesOf(name)) {
        if (!said.includes(`${file} written`)) continue
        const bytes = readFileSync(at(name, file))
        const theirs = at('crits', file)
        compareValues(
          readFileSync(`${theirs}.json`, 'utf8'),
          readFileSync(at('ours', file), 'utf8'),
        )
        if (!readFileSync(`${theirs}.img`).equals(bytes)) continue
        same++
        expect(readFileSync(`${theirs}.again`).equals(bytes)).toBe(true)
        criu('show', 'encode', `${theirs}.json`, '-o', 'one.img')
        expect(readFileSync(at('one.img')).equals(bytes)).toBe(true)
      }
      for (const part of ['ours', 'crits']) rmSync(at(part), { recursive: true })
    }
    expect(same).toBeGreaterThan(15)
  }, 120_000)

  /** What crit shows, we show with the same value; it lacks fields that are newer than it. */
  function compareValues(theirs: string, ours: string): void {
    const exact = (text: string) =>
      JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}/g, (w) => (w[0] === '"' ? w : `"${w}"`)))
    const walk = (a: unknown, b: unknown): void => {
      if (Array.isArray(a)) {
        expect(Array.isArray(b) && b.length).toBe(a.length)
        for (const [i, item] of a.entries()) walk(item, (b as unknown[])[i])
      } else if (typeof a === 'object' && a !== null) {
        for (const [name, value] of Object.entries(a)) {
          const renamed = name === 'nr_pages' ? 'compat_nr_pages' : name
          const other = b as Record<string, unknown>
          if (Array.isArray(value) && value.length === 0) continue
          walk(value, other[renamed in other ? renamed : name])
        }
      } else if (typeof a === 'string') expect(String(b)).toBe(a.replaceAll('\n', ''))
      else expect(typeof a === 'number' ? Number(b) : b).toEqual(a)
    }
    walk(exact(theirs).entries, exact(ours).entries)
  }
})

test('a core file opens in gdb, with threads, call chain, arguments and memory', () => {
  const pid = Number(JSON.parse(criu('show', 'threads', 'ps', '--json'))[0].pid)
  expect(criu('show', 'threads', '--core', String(pid), '-o', 'core')).toContain('core: ')
  const commands = [
    'info threads',
    'thread apply all backtrace',
    'print in_data',
    'print in_bss[500]',
    'print in_bss[499]',
    'print in_heap',
    'print in_shared + 8192',
    'print (int) in_shared[0]',
    'print $_siginfo.si_signo',
    'thread 2',
    'frame function innermost',
    'print *note',
    'x/1i $pc',
  ]
  const text = run([
    'gdb',
    '-batch',
    '-nx',
    ...commands.flatMap((line) => ['-ex', line]),
    'backtrace',
    'core',
  ])
  expect(text.match(/^\* 1 +Thread .* \(LWP \d+\)/gm)).toHaveLength(1)
  expect(text).toContain(`(LWP ${pid})`)
  const chain =
    /#\d+ .*innermost \(.*\n#\d+ .*middle \(.*\n#\d+ .*outermost \(.*\n#\d+ .*worker \(/g
  expect(text.match(chain)).toHaveLength(2)
  expect(text).toMatch(/#\d+ .*waits_for \(.*\n#\d+ .*main \(/)
  expect(text).toContain(`"from the program's file, changed"`)
  expect(text).toContain('$2 = 4711\n$3 = 0\n')
  expect(text).toContain('"on the heap"')
  expect(text).toContain('"in shared memory"')
  expect(text).toMatch(/\$6 = 0\n\$7 = 10\n/)
  expect(text).toMatch(/depth = 12, .*ratio = 18/)
  expect(text).toMatch(/innermost\+\d+>:/)
  const notes = run(['readelf', '--notes', '--wide', 'core']).match(/NT_\w+/g)
  expect(new Set(notes)).toEqual(
    new Set([
      'NT_PRSTATUS',
      'NT_PRPSINFO',
      'NT_SIGINFO',
      'NT_AUXV',
      'NT_FILE',
      'NT_FPREGSET',
      'NT_X86_XSTATE',
    ]),
  )
  expect(notes!.filter((name) => name === 'NT_PRSTATUS')).toHaveLength(3)
  // Sparse: what was never written takes no room.
  expect(statSync(at('core')).blocks * 512).toBeLessThan(statSync(at('core')).size)
}, 60_000)

test("upstream's images make a core file as well", () => {
  criu('show', 'objects', '--core', '30001', '-o', 'core.objects')
  const text = run(['gdb', '-batch', '-nx', '-ex', 'info threads', '-c', 'core.objects'])
  expect(text.match(/LWP 3000[134]/g)!.length).toBeGreaterThanOrEqual(3)
  expect(text).toContain('Core was generated by `/usr/bin/python3 /tmp/criu-interop/subject.py')
}, 60_000)

test('two dumps are compared: pages, descriptors, and nothing where nothing differs', () => {
  const difference = JSON.parse(criu('diff', 'before', 'after', '--json'))
  expect(difference).toMatchObject({ same: false, came: [], went: [] })
  const [process] = difference.changed
  const address = BigInt(readFileSync(at('address'), 'utf8'))
  const changed = process.pages.ranges.filter(
    ({ start }: { start: string }) =>
      BigInt(start) >= address && BigInt(start) < address + 64n * 4096n,
  )
  const start = `0x${(address + 10n * 4096n).toString(16)}`
  expect(changed).toEqual([{ start, pages: 2, change: 'changed' }])
  expect(process.pages.same).toBeGreaterThan(100)
  const { came, changed: altered } = process.descriptors
  expect([...came, ...altered].map((one) => one.name ?? one.after)).toEqual(
    expect.arrayContaining(['/etc/passwd', '/etc/group', at('log')]),
  )
  expect(altered.find(({ after }: { after: string }) => after === at('log')).fields).toContain(
    'pos',
  )
  expect(criu('diff', 'before', 'after')).toContain('pages changed')
  expect(criu('diff', 'before', 'before')).toContain('nothing differs')
  const other = criu('diff', 'sleep', 'objects')
  expect(other).toContain('- 30101 sleep\n+ 30001 python3\n+ 30005 python3\n')
}, 30_000)

describe('the page', () => {
  test('is clicked through: tree, memory, descriptors, timeline, dark and light', async () => {
    criu('show', 'objects', '--html', 'objects.html')
    await using browser = await Browser.start()
    await browser.scheme('light')
    await browser.open(at('objects.html'))
    expect(await browser.ask('document.title')).toBe(`criu: ${at('objects')}`)
    const tree = await browser.ask<string[]>(
      `[...document.querySelectorAll('#tree button .name')].map((e) => e.textContent)`,
    )
    expect(tree).toEqual(['30001 python3', '30005 python3'])
    expect(
      await browser.ask(`document.querySelectorAll('#tree ul [data-pid="30005"]').length`),
    ).toBe(1)
    expect(await browser.ask(`document.querySelectorAll('#timeline .track').length`)).toBe(4)

    await browser.click('[data-pid="30001"]')
    await browser.until(
      `document.querySelector('.bar .soft') !== null && document.querySelector('#map')`,
    )
    const count = () =>
      browser.ask<string>(`document.querySelector('input').nextSibling.textContent`)
    expect(await count()).toBe('80 of 80')
    const light = await browser.ask<string>('getComputedStyle(document.body).backgroundColor')
    await browser.scheme('dark')
    expect(await browser.ask('getComputedStyle(document.body).backgroundColor')).not.toBe(light)

    // Kinds filter; the map finds; the search narrows.
    await browser.click('[data-kind="heap"]')
    expect(await count()).toBe('1 of 80')
    await browser.click('[data-kind="heap"]')
    await browser.click('[data-mode="size"]')
    await browser.click('#map', 0.9)
    expect(await browser.ask(`document.querySelectorAll('.row.marked').length`)).toBe(1)
    expect(await browser.ask(`document.querySelector('#hint').textContent`)).toContain('saved')
    await browser.click('input[type=search]')
    await browser.type('libcrypto')
    expect(await count()).toBe('5 of 80')
    await browser.click('.row.head button:nth-child(2)')
    const sizes = await browser.ask<string[]>(
      `[...document.querySelectorAll('.rows > .row')].map((e) => e.children[1].textContent)`,
    )
    expect(sizes[0]).toBe('2.5 M')

    const tab = (name: string): Promise<unknown> =>
      browser.ask(
        `[...document.querySelectorAll('[role=tab]')].find((e) => e.textContent === '${name}').click()`,
      )
    await tab('Descriptors')
    expect(await browser.ask(`document.querySelector('.rows').textContent`)).toContain(
      '/tmp/criu-interop/data.bin',
    )
    await tab('Process')
    expect(await browser.ask(`document.querySelector('dl').textContent`)).toContain(
      '/usr/bin/python3.11',
    )
    await browser.click('#theme')
    expect(await browser.ask('getComputedStyle(document.body).backgroundColor')).toBe(light)
    await browser.screenshot(at('page.png'))
    expect(statSync(at('page.png')).size).toBeGreaterThan(10_000)
    expect(browser.complaints).toEqual([])
  }, 120_000)

  test('shows the stages of a dump whose log is there', async () => {
    criu('show', 'threads', '--html', 'threads.html')
    await using browser = await Browser.start()
    await browser.open(at('threads.html'))
    const stages = await browser.ask<string>(`document.querySelector('#timeline').textContent`)
    for (const stage of ['seize', 'collect', 'infect', 'pages', 'write', 'frozen'])
      expect(stages).toContain(stage)
    expect(browser.complaints).toEqual([])
  }, 120_000)

  test('is fast with 10,000 mappings: rows out of sight are not made', async () => {
    cpSync(at('sleep'), at('many'), { recursive: true })
    const file = readdirSync(at('many')).find((name) => name.startsWith('mm-'))!
    const json = JSON.parse(criu('show', 'decode', `many/${file}`))
    const [mm] = json.entries
    const heap = mm.vmas.find(({ status }: { status: number }) => status & 32)
    const more = Array.from({ length: 10_000 }, (_, i) => {
      const start = 0x1_0000_0000 + i * 0x10000
      return { ...heap, start, end: start + (1 + (i % 8)) * 4096 }
    })
    mm.vmas = [...more, ...mm.vmas].toSorted((a, b) => Number(a.start) - Number(b.start))
    writeFileSync(at('json'), JSON.stringify(json))
    criu('show', 'encode', 'json', '-o', `many/${file}`)
    criu('show', 'many', '--html', 'many.html')
    await using browser = await Browser.start()
    await browser.open(at('many.html'))
    await browser.click('[data-pid="30101"]')
    await browser.until(`document.querySelector('#map')`)
    const rows = () => browser.ask<number>(`document.querySelectorAll('.rows > .row').length`)
    expect(await rows()).toBeLessThan(100)
    const took = await browser.ask<number>(`(() => {
      const begun = performance.now()
      const search = document.querySelector('input')
      search.value = '0x1'
      search.dispatchEvent(new Event('input'))
      document.querySelector('.row.head button').click()
      document.querySelector('.table').scrollTop = 1e6
      return performance.now() - begun
    })()`)
    expect(took).toBeLessThan(2000)
    expect(await browser.ask(`document.querySelector('input').nextSibling.textContent`)).toContain(
      'of 10036',
    )
    expect(await rows()).toBeLessThan(100)
  }, 120_000)
})

describe('errors', () => {
  const refused = (...words: string[]): string => {
    const { status, out, err } = tried([criuPath(), ...words])
    expect(status).toBe(1)
    expect(out).toBe('')
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    return err
  }

  test('a damaged image, by file and entry', () => {
    cpSync(at('sleep'), at('damaged'), { recursive: true })
    const files = readFileSync(at('damaged/files.img'))
    writeFileSync(at('damaged/files.img'), files.subarray(0, files.length - 5))
    expect(refused('show', 'damaged')).toMatch(/damaged\/files.img, entry \d+: .*cut off/)
    expect(refused('diff', 'sleep', 'damaged')).toMatch(/damaged\/files.img, entry \d+/)
    expect(refused('show', 'damaged', '--core', '30101')).toMatch(/damaged\/files.img, entry \d+/)
    expect(readdirSync(directory)).not.toContain('core.30101')
  }, 30_000)

  test('what is not there, or no image', () => {
    expect(refused('show', 'nowhere')).toContain('nowhere is neither a view nor a directory')
    expect(refused('show', 'decode', 'sleep/pages-1.img')).toContain(
      'pages-1.img: its bytes are pages',
    )
    expect(refused('show', 'sleep', '--core', '7')).toContain(
      '--core names process 7, which is not in the images; they hold 30101',
    )
    expect(refused('show', 'ours', 'theirs')).toContain('is no view')
  }, 30_000)

  test('a full disk is told, a reader that goes away is no error', () => {
    const full = tried(['sh', '-c', '"$1" show objects mems >/dev/full', 'sh', criuPath()])
    expect(full).toMatchObject({ status: 1, err: expect.stringContaining('ENOSPC') })
    const head = tried([
      'bash',
      '-c',
      'set -o pipefail; "$1" show objects files --json | head -1',
      'sh',
      criuPath(),
    ])
    expect(head).toMatchObject({ status: 0, out: '[\n', err: '' })
  }, 30_000)
})

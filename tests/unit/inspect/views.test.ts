import { expect, test } from 'bun:test'
import { htmlPage, pageData } from '../../../src/inspect/html/page.ts'
import type { Process, Snapshot } from '../../../src/inspect/snapshot/model.ts'
import { readImages } from '../../../src/inspect/snapshot/read.ts'
import { viewNames, views } from '../../../src/inspect/views/index.ts'
import { columns, drawTree, size } from '../../../src/inspect/views/layout.ts'
import { resultText } from '../../../src/inspect/views/result.ts'
import { showViews } from '../../../src/job/options.ts'
import { fixtures, pid } from './directory.ts'

const snapshot = readImages(fixtures)

test('the command line knows the views that there are', () => {
  expect(viewNames).toEqual([...showViews])
})

test('sizes are short', () => {
  expect([0, 512, 1024, 1536, 1024 ** 2 * 100.4, 3 * 1024 ** 4].map(size)).toEqual([
    '0 B',
    '512 B',
    '1 K',
    '1.5 K',
    '100 M',
    '3 T',
  ])
})

test('columns are as wide as they must be', () => {
  expect(
    columns(
      [
        ['A', 'B'],
        ['1', 'xx'],
        ['22', ''],
      ],
      [0],
    ),
  ).toBe(' A  B\n 1  xx\n22\n')
})

test('a tree is drawn with all its lines, however deep it is', () => {
  const leaf = (name: string) => ({ lines: [name, 'more'], children: [] })
  const root = {
    lines: ['root', 'more'],
    children: [leaf('a'), { ...leaf('b'), children: [leaf('c')] }],
  }
  expect(drawTree([root])).toBe(
    [
      'root',
      '│ more',
      '├─ a',
      '│    more',
      '└─ b',
      '   │ more',
      '   └─ c',
      '        more',
      '',
    ].join('\n'),
  )
  let deep = leaf('x') as { lines: string[]; children: object[] }
  for (let i = 0; i < 5000; i++) deep = { lines: ['x'], children: [deep] }
  expect(drawTree([deep as never]).split('\n')).toHaveLength(5003)
})

test('the view of the tree tells what a process has', () => {
  const text = views.tree.text(snapshot)
  expect(text).toContain(`${pid} sleep`)
  expect(text).toContain('36 mappings, 1 thread,')
})

test('views in the form of crit', () => {
  expect(views.ps.text(snapshot)).toBe(
    '    PID   PGID    SID   COMM\n  30101  30101  30101   sleep\n',
  )
  expect(views.fds.text(snapshot)).toContain('\n\t      0: /dev/null\n')
  expect(views.fds.text(snapshot)).toContain('\n\t    cwd: /\n\t   root: /\n')
  expect(views.mems.text(snapshot)).toContain('  r-x /usr/bin/sleep + 0x2000\n')
  expect(views.mems.text(snapshot)).toContain(
    'ffffffffff600000-ffffffffff601000   --x [vsyscall] *\n',
  )
  expect(views.rss.text(snapshot)).toMatch(/^30101\n\t[0-9a-f]+ \/ \d+ +[0-9a-f]{8,} \/ \d+/)
})

test('each view in JSON can be read again, addresses in hexadecimal', () => {
  for (const { json } of Object.values(views)) JSON.parse(resultText(json(snapshot)))
  const [process] = JSON.parse(resultText(views.mems.json(snapshot)))
  expect(process.mappings.at(-1)).toMatchObject({ start: '0xffffffffff600000', kind: 'kernel' })
})

test('dead and stopped processes are shown as such', () => {
  const [process] = snapshot.processes
  const dead: Process = {
    ...process!,
    pid: 7,
    ppid: pid,
    comm: 'gone',
    state: 'dead',
    exitCode: 3 << 8,
    memory: undefined,
    descriptors: [],
  }
  const killed = { ...dead, pid: 8, exitCode: 9 }
  const tree: Snapshot = {
    ...snapshot,
    processes: [{ ...process!, state: 'stopped' }, dead, killed],
  }
  const text = views.tree.text(tree)
  expect(text).toContain('sleep (stopped)')
  expect(text).toContain('├─ 7 gone (dead, exit code 3)')
  expect(text).toContain('└─ 8 gone (dead, signal 9)')
  for (const { text: view } of Object.values(views)) expect(view(tree)).not.toBe('')
})

test('the page holds everything, and names of strangers end nothing', () => {
  const files = [{ id: 1, type: 'REG', name: '</script><script>alert(1)', flags: 'r', entry: null }]
  const page = [...htmlPage({ ...snapshot, files })].join('')
  expect(page).not.toContain('</script><script>alert')
  expect(page.match(/<\/script>/g)).toHaveLength(2)
  expect(page).not.toMatch(/(src|href)="(?!data:)/)
  expect(page).not.toMatch(/https?:/)
  const data = JSON.parse(/id="data">(.*?)<\/script>/s.exec(page)![1]!)
  expect(data).toEqual(JSON.parse(JSON.stringify(pageData({ ...snapshot, files }))))
  expect(data.files[0].name).toBe('</script><script>alert(1)')
  expect(data.processes[0].mappings).toHaveLength(36)
})

import { describe, expect, test } from 'bun:test'
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { ImageDirectory } from '../../../src/images/directory.ts'
import { PagemapTable, pageFlags } from '../../../src/images/pagemap.ts'
import { diffImages } from '../../../src/inspect/diff/diff.ts'
import { comparePages } from '../../../src/inspect/diff/pages.ts'
import { diffText } from '../../../src/inspect/diff/text.ts'
import { PageMaps } from '../../../src/inspect/snapshot/page-maps.ts'
import { pid, Work } from './directory.ts'

type Runs = readonly (readonly [address: number, fills: readonly number[], flags?: number])[]

/** Images with pages of one process, each filled with one byte; of a parent's, the fills count alone. */
function write(path: string, runs: Runs, parent?: string): PageMaps {
  const table = new PagemapTable()
  const content: Buffer[] = []
  for (const [address, fills, flags = pageFlags.present] of runs) {
    table.add(address, fills.length, flags)
    if (flags === pageFlags.present) content.push(...fills.map((fill) => Buffer.alloc(4096, fill)))
  }
  mkdirSync(path)
  const images = ImageDirectory.open(path)
  images.writePagemap('pagemap', { pages_id: 1 }, table, 5)
  writeFileSync(`${path}/pages-1.img`, Buffer.concat(content))
  if (parent !== undefined) symlinkSync(parent, `${path}/parent`)
  return new PageMaps(images)
}

function compared(a: Runs, b: Runs) {
  using work = new Work()
  using first = write(work.file('a'), a)
  using second = write(work.file('b'), b, '../a')
  return comparePages(first.get('pagemap', 5), second.get('pagemap', 5))
}

describe('pages are compared by content', () => {
  test('the same', () => {
    expect(compared([[0x1000, [1, 2]]], [[0x1000, [1, 2]]])).toEqual({
      same: 2,
      changed: 0,
      came: 0,
      went: 0,
      ranges: [],
    })
  })

  test('changed, came and went, however the runs are cut', () => {
    const a: Runs = [
      [0x1000, [1, 2, 3]],
      [0x8000, [8]],
      [0x9000, [9, 9]],
    ]
    const b: Runs = [
      [0x1000, [1]],
      [0x2000, [7]],
      [0x3000, [7, 4]],
      [0x9000, [9]],
      [0xa000, [9]],
    ]
    expect(compared(a, b)).toEqual({
      same: 3,
      changed: 2,
      came: 1,
      went: 1,
      ranges: [
        { start: 0x2000, pages: 2, change: 'changed' },
        { start: 0x4000, pages: 1, change: 'came' },
        { start: 0x8000, pages: 1, change: 'went' },
      ],
    })
  })

  test('more pages than are read at once', () => {
    const fills = Array.from({ length: 700 }, (_, i) => i & 0xff)
    const other = fills.with(600, 1)
    expect(compared([[0x10000, fills]], [[0x10000, other]])).toMatchObject({
      same: 699,
      changed: 1,
      ranges: [{ start: 0x10000 + 600 * 4096, pages: 1, change: 'changed' }],
    })
  })

  test('those of a parent are followed, and not read where they are the other side itself', () => {
    const result = compared(
      [[0x1000, [1, 2, 3]]],
      [
        [0x1000, [0, 0], pageFlags.parent],
        [0x3000, [4]],
      ],
    )
    expect(result).toMatchObject({ same: 2, changed: 1 })
  })

  test('without any', () => {
    expect(comparePages(undefined, undefined)).toMatchObject({ same: 0, ranges: [] })
  })
})

describe('two directories', () => {
  function changed(change: (images: ImageDirectory, path: string) => void) {
    using before = new Work().withFixtures()
    using after = new Work().withFixtures()
    // The fixtures have no pages: leave out what tells of them.
    for (const { path } of [before, after]) {
      renameSync(`${path}/pagemap-${pid}.img`, `${path}/away`)
    }
    using images = ImageDirectory.open(after.path)
    change(images, after.path)
    return diffImages(before.path, after.path)
  }

  test('that hold the same do not differ', () => {
    const difference = changed(() => undefined)
    expect(difference).toMatchObject({ same: true, changed: [], came: [], went: [] })
    expect(diffText(difference)).toContain('nothing differs')
  })

  test('processes came and went', () => {
    const difference = changed((images, path) => {
      images.write('pstree', [{ pid: 9, ppid: 0, pgid: 9, sid: 9, threads: [9] }])
      for (const kind of ['core', 'mm', 'fs', 'ids']) {
        writeFileSync(`${path}/${kind}-9.img`, readFileSync(`${path}/${kind}-${pid}.img`))
      }
    })
    expect(difference).toMatchObject({
      same: false,
      came: [{ pid: 9, comm: 'sleep' }],
      went: [{ pid, comm: 'sleep' }],
    })
    expect(diffText(difference)).toContain(`- ${pid} sleep\n+ 9 sleep\n`)
  })

  test('mappings came, went and changed', () => {
    const difference = changed((images) => {
      const mm = images.readOne('mm', pid)
      const [first, second, ...rest] = mm.vmas
      const new_ = { ...second!, start: 0x10000n, end: 0x11000n }
      images.write(
        'mm',
        [{ ...mm, vmas: [new_, { ...first!, end: first!.end - 4096n }, ...rest] }],
        pid,
      )
    })
    const { mappings } = difference.changed[0]!
    expect(mappings.came).toMatchObject([{ start: 0x10000, end: 0x11000 }])
    expect(mappings.went).toHaveLength(1)
    expect(mappings.changed).toHaveLength(1)
    expect(diffText(difference)).toMatch(/\n {2}\+ 00010000-00011000 r-x \/usr\/bin\/sleep\n/)
  })

  test('descriptors came, went and changed, by name, position and flags', () => {
    const difference = changed((images) => {
      const files = images.readAll('files')
      const fds = images.readAll('fdinfo', 2)
      const at = files.findIndex(({ id }) => id === fds[0]!.id)
      files[at] = { ...files[at]!, reg: { ...files[at]!.reg!, pos: 77n } }
      images.write('files', files)
      images.write('fdinfo', [fds[0]!, { ...fds[1]!, fd: 50 }, ...fds.slice(2)], 2)
    })
    const { descriptors } = difference.changed[0]!
    expect(descriptors.came).toMatchObject([{ fd: 50 }])
    expect(descriptors.went).toMatchObject([{ fd: 1 }])
    expect(descriptors.changed).toEqual([
      { fd: 0, before: '/dev/null', after: '/dev/null', fields: ['pos'] },
    ])
    expect(diffText(difference)).toContain('  ~ fd 0: /dev/null (pos)\n')
  })

  test('facts of a process', () => {
    const difference = changed((images) => {
      const core = images.readOne('core', pid)
      images.write('core', [{ ...core, tc: { ...core.tc!, comm: 'other', task_state: 3 } }], pid)
    })
    expect(difference.changed[0]!.facts).toEqual([
      { name: 'state', before: 'alive', after: 'stopped' },
      { name: 'comm', before: 'sleep', after: 'other' },
    ])
  })
})

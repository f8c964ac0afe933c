import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { ImageDirectory } from '../../../src/images/directory.ts'
import { PagemapTable, pageFlags } from '../../../src/images/pagemap.ts'
import { PageMaps, readMemory } from '../../../src/inspect/snapshot/page-maps.ts'
import { readImages } from '../../../src/inspect/snapshot/read.ts'
import { endpoint } from '../../../src/inspect/snapshot/sockets.ts'
import { stagesOf } from '../../../src/inspect/snapshot/stages.ts'
import { detailOf, fixtures, pid, Work } from './directory.ts'

describe('a directory of images', () => {
  const snapshot = readImages(fixtures)
  const [process] = snapshot.processes

  test('has its processes', () => {
    expect(snapshot.processes).toHaveLength(1)
    expect(process).toMatchObject({
      pid,
      ppid: 0,
      state: 'alive',
      comm: 'sleep',
      exe: '/usr/bin/sleep',
      cwd: '/',
      uid: 0,
      threads: [{ tid: pid, comm: 'sleep' }],
    })
  })

  test('has mappings with what is saved of them', () => {
    const { memory } = process!
    expect(memory!.mappings).toHaveLength(36)
    expect(memory!.size).toBe(memory!.mappings.reduce((sum, m) => sum + m.end - m.start, 0))
    const saved = memory!.mappings.reduce((sum, m) => sum + m.present + m.inParent, 0)
    expect(saved * 4096).toBe(memory!.saved)
    expect(memory!.mappings.map(({ kind }) => kind)).toContain('heap')
    expect(memory!.mappings.find(({ kind }) => kind === 'code')).toMatchObject({
      access: 'r-x',
      name: '/usr/bin/sleep',
      shared: false,
    })
    expect(memory!.mappings.at(-1)!.name).toBe('[vsyscall]')
  })

  test('has descriptors and files', () => {
    expect(process!.descriptors.slice(0, 3)).toMatchObject(
      [0, 1, 2].map((fd) => ({ fd, type: 'REG', name: '/dev/null' })),
    )
    expect(snapshot.files.find(({ name }) => name === '/usr/bin/sleep')).toMatchObject({
      type: 'REG',
    })
    expect(snapshot.statistics!.pagesWritten).toBeGreaterThan(0)
  })

  test('is plain data: JSON of it is the same again', () => {
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(JSON.parse(JSON.stringify(snapshot)))
    expect(JSON.stringify(snapshot)).toContain('"comm":"sleep"')
  })

  test('without pages can be shown: they are not read', () => {
    expect(readdirSync(fixtures).filter((name) => name.startsWith('pages-'))).toEqual([])
  })
})

describe('a damaged directory is one error with file and entry', () => {
  const broken = (change: (work: Work) => void) => {
    using work = new Work().withFixtures()
    change(work)
    const detail = detailOf(() => readImages(work.path))
    return { ...detail, file: 'file' in detail ? detail.file.replace(`${work.path}/`, '') : '' }
  }

  test('an image is missing', () => {
    for (const name of ['inventory.img', 'pstree.img', `core-${pid}.img`]) {
      const detail = broken((work) => renameSync(work.file(name), work.file('away')))
      expect(detail).toMatchObject({ code: 'image', file: name, reason: 'there is no such file' })
    }
  })

  test('the tree contradicts itself', () => {
    const tree = (...members: object[]) =>
      broken((work) => {
        using images = ImageDirectory.open(work.path)
        images.write('pstree', members as never)
      })
    const one = { pid, ppid: 0, pgid: pid, sid: pid, threads: [pid] }
    expect(tree(one, one)).toMatchObject({ file: 'pstree.img', entry: 1 })
    expect(tree({ ...one, ppid: pid })).toMatchObject({ file: 'pstree.img', entry: 0 })
    expect(tree({ ...one, ppid: 7 }, { ...one, pid: 7, ppid: pid })).toMatchObject({ entry: 0 })
    expect(tree({ ...one, threads: [5] })).toMatchObject({
      reason: expect.stringContaining('own threads'),
    })
  })

  test('a pagemap goes back', () => {
    const detail = broken((work) => {
      const table = new PagemapTable()
      table.add(0x5000, 2, pageFlags.present)
      table.add(0x6000, 1, pageFlags.present)
      using images = ImageDirectory.open(work.path)
      images.writePagemap('pagemap', { pages_id: 1 }, table, pid)
    })
    expect(detail).toMatchObject({ code: 'image', file: `pagemap-${pid}.img`, entry: 2 })
  })

  test('each image with bytes changed at random', () => {
    const names = readdirSync(fixtures).filter(
      (name) => name.endsWith('.img') || name === 'stats-dump',
    )
    let seed = 42
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff
      return seed % below
    }
    using work = new Work().withFixtures()
    for (let turn = 0; turn < 300; turn++) {
      const name = names[turn % names.length]!
      const whole = readFileSync(`${fixtures}/${name}`)
      const bytes = Buffer.from(
        whole.subarray(0, random(4) === 0 ? random(whole.length) : undefined),
      )
      for (let i = 0; i < 4 && bytes.length > 0; i++) bytes[random(bytes.length)] = random(256)
      writeFileSync(work.file(name), bytes)
      try {
        readImages(work.path)
      } catch (error) {
        expect(error).toMatchObject({ name: 'CriuError', detail: { code: 'image' } })
      }
      writeFileSync(work.file(name), whole)
    }
  })
})

describe('pages', () => {
  const page = (fill: number): Buffer => Buffer.alloc(4096, fill)

  /** A directory with some pages of one process: address, number and flags of each run. */
  function write(
    path: string,
    runs: readonly (readonly [number, number, number])[],
    content: Buffer,
  ) {
    const table = new PagemapTable()
    for (const run of runs) table.add(...run)
    using images = ImageDirectory.create(path)
    images.writePagemap('pagemap', { pages_id: 1 }, table, 5)
    writeFileSync(`${path}/pages-1.img`, content)
  }

  function chain(work: Work): PageMaps {
    const { present, parent } = pageFlags
    write(work.file('a'), [[0x1000, 4, present]], Buffer.concat([1, 2, 3, 4].map(page)))
    write(
      work.file('b'),
      [
        [0x1000, 1, parent],
        [0x2000, 1, present],
        [0x3000, 2, parent],
      ],
      page(22),
    )
    write(
      work.file('c'),
      [
        [0x1000, 3, parent],
        [0x4000, 1, present],
      ],
      page(44),
    )
    symlinkSync('../a', work.file('b/parent'))
    symlinkSync('../b', work.file('c/parent'))
    return new PageMaps(ImageDirectory.open(work.file('c')))
  }

  test('are found through parents', () => {
    using work = new Work()
    using maps = chain(work)
    const bytes = readMemory(maps.get('pagemap', 5)!, 0x1000, 4 * 4096)!
    expect([0, 1, 2, 3].map((i) => bytes[i * 4096])).toEqual([1, 22, 3, 44])
    expect(readMemory(maps.get('pagemap', 5)!, 0x1ffe, 4)).toEqual(Uint8Array.of(1, 1, 22, 22))
    expect(readMemory(maps.get('pagemap', 5)!, 0x4ffe, 4)).toBeUndefined()
  })

  test('that a parent lacks are an error', () => {
    using work = new Work()
    write(work.file('b'), [[0x1000, 1, pageFlags.parent]], Buffer.alloc(0))
    using maps = new PageMaps(ImageDirectory.open(work.file('b')))
    const detail = detailOf(() => readMemory(maps.get('pagemap', 5)!, 0x1000, 1))
    expect(detail).toMatchObject({
      code: 'image',
      entry: 1,
      reason: expect.stringContaining('parent'),
    })
  })

  test('a chain of parents without an end is an error', () => {
    using work = new Work()
    write(work.file('b'), [[0x1000, 1, pageFlags.parent]], Buffer.alloc(0))
    symlinkSync('.', work.file('b/parent'))
    using maps = new PageMaps(ImageDirectory.open(work.file('b')))
    expect(detailOf(() => readMemory(maps.get('pagemap', 5)!, 0x1000, 1))).toMatchObject({
      code: 'image',
    })
  })

  test('a file of pages that is too short is an error, before any is read', () => {
    using work = new Work()
    write(work.file('a'), [[0x1000, 3, pageFlags.present]], page(1))
    using maps = new PageMaps(ImageDirectory.open(work.file('a')))
    const detail = detailOf(() => readMemory(maps.get('pagemap', 5)!, 0x1000, 1))
    expect(detail).toMatchObject({ code: 'image', reason: expect.stringContaining('4096 bytes') })
  })
})

test('addresses of sockets', () => {
  expect(endpoint([0x0100007f], 80)).toBe('127.0.0.1:80')
  expect(endpoint([0, 0, 0, 0x01000000], 80)).toBe('[::1]:80')
  expect(endpoint([0, 0, 0, 0], 0)).toBe('[::]:0')
  expect(endpoint([0x000080fe, 0, 0x0100, 0x0200], 1)).toBe('[fe80::1:0:2:0]:1')
})

test('stages come from a log', () => {
  const log = [
    '(00.100000) dump begins, Version: 4.2',
    '(00.119789) probe begins',
    '(00.124833) probe done after 5.034 ms',
    '(00.130527) [pid 7] collect done after 2.059 ms',
    '(00.140000) Error (x): nothing done after 2 ms',
  ].join('\n')
  expect(stagesOf(log)).toEqual([
    { name: 'probe', start: expect.closeTo(119.8, 1), duration: 5.034 },
    { name: 'collect', start: expect.closeTo(128.5, 1), duration: 2.059 },
  ])
  expect(stagesOf('')).toEqual([])
})

import { afterEach, beforeEach, expect, test } from 'bun:test'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CriuError, type ErrorDetail } from '../../../src/errors/error.ts'
import { ImageDirectory } from '../../../src/images/directory.ts'
import { PagemapTable } from '../../../src/images/pagemap.ts'
import { ImageWriter } from '../../../src/images/writer.ts'
import { localFd } from '../../../src/kernel/types.ts'

const fixtures = join(import.meta.dirname, 'fixtures')
const pid = 30101
let work: string
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'criu-images-'))
})
afterEach(() => rmSync(work, { recursive: true, force: true }))

function detailOf(job: () => unknown): ErrorDetail {
  try {
    job()
  } catch (error) {
    if (error instanceof CriuError) return error.detail
    throw error
  }
  throw new Error('no error')
}

test('images of CRIU read and written again are the same bytes', () => {
  using from = ImageDirectory.open(fixtures)
  using to = ImageDirectory.create(work)
  to.write('inventory', [from.readOne('inventory')])
  to.write('core', [from.readOne('core', pid)], pid)
  to.write('mm', [from.readOne('mm', pid)], pid)
  to.write('ids', [from.readOne('ids', pid)], pid)
  to.write('fs', [from.readOne('fs', pid)], pid)
  to.write('fdinfo', from.readAll('fdinfo', 2), 2)
  to.write('files', from.readAll('files'))
  to.write('pstree', from.readAll('pstree'))
  to.write('stats-dump', from.readAll('stats-dump'))
  to.writeWithPayload('pipes-data', from.readWithPayload('pipes-data'))
  to.writeWithPayload('sk-queues', from.readWithPayload('sk-queues'))
  to.writeWithPayload('ghost-file', from.readWithPayload('ghost-file', 1), 1)
  const { head, table } = from.readPagemap('pagemap', pid)
  to.writePagemap('pagemap', head, table, pid)
  const names = readdirSync(work)
  expect(names.length).toBe(13)
  for (const name of names) {
    expect(readFileSync(join(work, name))).toEqual(readFileSync(join(fixtures, name)))
  }
})

test('fields have the values that the process had', () => {
  using images = ImageDirectory.open(fixtures)
  expect(images.readOne('core', pid).tc?.comm).toBe('sleep')
  expect(images.readAll('pstree')[0]).toMatchObject({ pid, ppid: 0, sid: pid, threads: [pid] })
  expect(images.idsOf('core')).toEqual([pid])
  expect(images.has('core', pid)).toBe(true)
  expect(images.has('core', 1)).toBe(false)
  expect(images.tryReadAll('core', 1)).toBeUndefined()
  expect(images.list()).toContainEqual({ name: 'fdinfo-2.img', kind: 'fdinfo', id: 2 })
})

test('a missing image is an image error with its path', () => {
  using images = ImageDirectory.open(work)
  const detail = { code: 'image', file: `${work}/mm-7.img`, reason: 'there is no such file' }
  expect(detailOf(() => images.readOne('mm', 7))).toEqual(detail as ErrorDetail)
  const pages = { ...detail, file: `${work}/pages-1.img` }
  expect(detailOf(() => images.openRaw('pages', 1, 'read'))).toEqual(pages as ErrorDetail)
})

test('an image that should have one entry has one', () => {
  using images = ImageDirectory.open(work)
  images.write('seccomp', [])
  expect(images.readAll('seccomp')).toEqual([])
  expect(detailOf(() => images.readOne('seccomp'))).toMatchObject({ reason: 'it has no entry' })
  images.write('fs', Array(2).fill({ cwd_id: 1, root_id: 2 }), 7)
  expect(detailOf(() => images.readOne('fs', 7))).toMatchObject({
    entry: 1,
    reason: 'there is more than one entry',
  })
})

test('a hole in place of entries is found before it fills the memory', () => {
  using images = ImageDirectory.open(work)
  images.write('criu-ts-ipc', [], 7)
  truncateSync(join(work, 'criu-ts-ipc-7'), 2 ** 33)
  const reason = '1000 entries are empty'
  expect(detailOf(() => images.readAll('criu-ts-ipc', 7))).toMatchObject({ reason })
})

test('wrong magics name both, and the header that is short says so', () => {
  using images = ImageDirectory.open(work)
  writeFileSync(join(work, 'files.img'), readFileSync(join(fixtures, 'pstree.img')))
  const reason = 'wrong magic 0x50273030, expected 0x56303138'
  expect(detailOf(() => images.readAll('files'))).toMatchObject({ reason })
  writeFileSync(join(work, 'files.img'), Uint8Array.of(0x19, 0x43, 0x56, 0x54, 1))
  const short = 'the header is cut off: 5 of 8 bytes'
  expect(detailOf(() => images.readAll('files'))).toMatchObject({ reason: short })
})

test('images of version 1 have no common magic', () => {
  using images = ImageDirectory.open(work)
  writeFileSync(join(work, 'pstree.img'), readFileSync(join(fixtures, 'pstree.img')).subarray(4))
  expect(images.readAll('pstree')[0]?.pid).toBe(pid)
})

test('an error says in which entry', () => {
  using images = ImageDirectory.open(work)
  const whole = readFileSync(join(fixtures, 'files.img'))
  writeFileSync(join(work, 'files.img'), whole.subarray(0, whole.length - 1))
  using from = ImageDirectory.open(fixtures)
  const entry = from.readAll('files').length - 1
  expect(detailOf(() => images.readAll('files'))).toMatchObject({ code: 'image', entry })
})

test('files are 0600, and what a job wrote goes away again', () => {
  writeFileSync(join(work, 'other'), '')
  using images = ImageDirectory.create(work)
  images.write('files', [])
  images.linkParent('../before')
  const fd = images.openRaw('pages', 1, 'write')
  expect(statSync(join(work, 'pages-1.img')).mode & 0o777).toBe(0o600)
  expect(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')).toMatch(/flags:\s+02\d*1$/m)
  expect(statSync(join(work, 'files.img')).mode & 0o777).toBe(0o600)
  images.removeWritten()
  expect(readdirSync(work)).toEqual(['other'])
})

test('all goes to the directory that was opened, even when it is renamed', () => {
  const before = join(work, 'before')
  using images = ImageDirectory.create(before)
  renameSync(before, join(work, 'after'))
  images.write('files', [])
  expect(existsSync(join(work, 'after/files.img'))).toBe(true)
  using again = ImageDirectory.open(images.fd)
  expect(again.path).toBe(join(work, 'after'))
  expect(again.readAll('files')).toEqual([])
})

test('the parent link leads to the directory of the previous snapshot', () => {
  using first = ImageDirectory.create(join(work, '1'))
  first.write('files', [])
  using second = ImageDirectory.create(join(work, '2'))
  expect(second.openParent()).toBeUndefined()
  second.linkParent('../1')
  using parent = second.openParent()
  expect(parent?.readAll('files')).toEqual([])
})

test('nothing is written through a symbolic link, and a FIFO does not hang a reader', () => {
  using images = ImageDirectory.open(work)
  symlinkSync('/dev/null', join(work, 'files.img'))
  expect(detailOf(() => images.write('files', []))).toMatchObject({ code: 'syscall', errno: 40 })
  execFileSync('mkfifo', [join(work, 'pstree.img')])
  expect(detailOf(() => images.readAll('pstree'))).toMatchObject({
    reason: 'it is not a regular file',
  })
})

test('a full disk is ENOSPC with the path and what to do', () => {
  const writer = new ImageWriter('pstree', localFd(openSync('/dev/full', 'w')), 'there/pstree.img')
  const detail = detailOf(() => writer.close())
  expect(detail).toMatchObject({ code: 'syscall', operation: 'write', errno: 28 })
  expect(detail).toMatchObject({
    path: 'there/pstree.img',
    remedy: expect.stringContaining('full'),
  })
})

test('parts of payload: messages of a queue, pieces of a ghost file', () => {
  using images = ImageDirectory.open(work)
  const desc = { key: 1, uid: 0, gid: 0, cuid: 0, cgid: 0, mode: 0o600, id: 3 }
  const message = { entry: { mtype: 5n, msize: 3 }, payload: Buffer.from('abc\0\0\0\0\0') }
  const queue = { entry: { desc, qbytes: 100, qnum: 2 }, parts: [message, message] }
  images.writeWithPayload('ipcns-msg', [queue, queue], 9)
  const back = images.readWithPayload('ipcns-msg', 9)
  expect(back.length).toBe(2)
  expect(back[1]?.parts[1]?.entry).toEqual(message.entry)
  expect(Buffer.from(back[1]!.parts[1]!.payload)).toEqual(message.payload)
  expect(images.readAll('ipcns-msg', 9).length).toBe(2)

  const chunk = { entry: { len: 4n, off: 8192n }, payload: Buffer.from('data') }
  const ghost = { entry: { uid: 0, gid: 0, mode: 0o100600, chunks: true, size: 9000n } }
  images.writeWithPayload('ghost-file', [{ ...ghost, parts: [chunk, chunk] }], 10)
  expect(existsSync(join(work, 'ghost-file-a.img'))).toBe(true)
  expect(images.readWithPayload('ghost-file', 10)[0]?.parts.length).toBe(2)
  expect(images.readOne('ghost-file', 10).size).toBe(9000n)
})

test('payload of another length than its entry says is not written', () => {
  using images = ImageDirectory.open(work)
  const wrong = [{ entry: { pipe_id: 1, bytes: 2 }, payload: Buffer.from('abc') }]
  expect(detailOf(() => images.writeWithPayload('pipes-data', wrong)).code).toBe('internal')
})

test('large payload can be passed on by descriptor', () => {
  using images = ImageDirectory.open(work)
  const payload = Buffer.alloc(3_000_000, 'x')
  const entry = { pipe_id: 1, bytes: payload.length }
  images.writeWithPayload('pipes-data', [
    { entry, payload },
    { entry, payload },
  ])
  using reader = images.reader('pipes-data')
  expect(reader.next('pipe_data_entry')).toEqual(entry)
  const { position } = reader
  reader.skip(payload.length)
  expect(reader.next('pipe_data_entry')).toEqual(entry)
  expect(reader.take(payload.length)).toEqual(new Uint8Array(payload))
  expect(reader.left).toBe(0)
  const bytes = readFileSync(join(work, 'pipes-data.img'))
  expect(bytes.subarray(position, position + payload.length)).toEqual(payload)
})

test('a hundred thousand pagemap entries come back, as columns and as messages', () => {
  using images = ImageDirectory.open(work)
  const table = new PagemapTable()
  for (let i = 0; i < 100_000; i++) table.add(0x7fff_0000_0000 + i * 8192, (i % 300) + 1, i % 8)
  table.add(0xff_ffff_ffff_f000, 2 ** 40, 4)
  images.writePagemap('pagemap', { pages_id: 3 }, table, 7)
  const { head, table: back } = images.readPagemap('pagemap', 7)
  expect(head.pages_id).toBe(3)
  expect(back.count).toBe(100_001)
  expect(back.address).toEqual(table.address)
  expect(back.pages).toEqual(table.pages)
  expect(back.flags).toEqual(table.flags)
  const { entries } = images.readPagemapEntries('pagemap', 7)
  expect(entries.at(-1)).toEqual({
    vaddr: 0xff_ffff_ffff_f000n,
    compat_nr_pages: 0,
    flags: 4,
    nr_pages: 1n << 40n,
  })
  expect(back.addressAt(0) as bigint).toBe(0x7fff_0000_0000n)
})

test('pagemaps of old images have no flags and another count', () => {
  using images = ImageDirectory.open(work)
  {
    using writer = images.writer('pagemap', 1)
    writer.message('pagemap_head', { pages_id: 1 })
    writer.entry({ vaddr: 4096n, compat_nr_pages: 3, in_parent: true })
    writer.entry({ vaddr: 40960n, compat_nr_pages: 2 })
    writer.close()
  }
  const { table } = images.readPagemap('pagemap', 1)
  expect([...table.pages.subarray(0, 2)]).toEqual([3, 2])
  expect([...table.flags.subarray(0, 2)]).toEqual([1, 4])
})

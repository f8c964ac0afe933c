import { expect, test } from 'bun:test'
import { mkdirSync, writeFileSync } from 'node:fs'
import { IN } from '../../../../src/kernel/constants/notify.ts'
import { scratch } from '../../../../src/kernel/memory.ts'
import { parseFdInfo, readFdInfo } from '../../../../src/kernel/proc/fdinfo.ts'
import { must } from '../../../../src/kernel/sys.ts'
import { fileId } from '../../../../src/kernel/types.ts'
import {
  handleEntry,
  handleOfEntry,
  markLines,
  placeOfEntry,
} from '../../../../src/resources/events/watched.ts'
import { closeAll, FilesJob } from '../files/job.ts'

const line =
  'inotify wd:a ino:9e7e sdev:800013 mask:800afce ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:7e9e0000640d1b6d'

test('a line of fdinfo', () => {
  const [mark, ...more] = markLines(parseFdInfo(`pos:\t0\nflags:\t00\n${line}\n`), 'inotify')
  expect(more).toEqual([])
  expect(mark!.get('wd')).toBe(10)
  expect(mark!.get('mask')).toBe(0x800afce)
  expect(mark!.has('mnt_id')).toBe(false)
  expect(mark!.inode.device).toBe(0x800013)
  expect(mark!.inode.ino).toBe(0x9e7en)
  expect(Buffer.from(mark!.inode.handle!.bytes).toString('hex')).toBe('7e9e0000640d1b6d')
})

test('a handle and its place come back from their entry', () => {
  const handle = { type: 1, bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9) }
  const inode = { device: 1, ino: 2n, handle }
  for (const place of [
    { path: undefined, byPath: false, file: undefined },
    { path: '/a b', byPath: false, file: undefined },
    { path: '/a b', byPath: true, file: fileId(7) },
  ]) {
    const entry = handleEntry(inode, place)
    expect(entry.handle).toHaveLength(16)
    expect(entry.path).toBe(place.byPath ? place.path : undefined)
    expect(placeOfEntry(entry)).toEqual(place)
    expect(handleOfEntry(entry)).toEqual(handle)
  }
  expect(handleOfEntry({ bytes: 0, type: 0, handle: [] })).toBeUndefined()
  expect(handleOfEntry({ bytes: 9, type: 0, handle: [1n] })).toBeUndefined()
})

test('watches come back under their numbers', () => {
  using job = new FilesJob()
  using s = scratch()
  const fd = must('inotify_init1', 0)
  mkdirSync(job.path('d'))
  writeFileSync(job.path('f'), '')
  const watch = (path: string, mask: number) =>
    must('inotify_add_watch', fd, s.string(job.path(path)), mask)
  watch('d', IN.CREATE)
  must('inotify_rm_watch', fd, watch('f', IN.MODIFY))
  must('read', fd, s.take(64).address, 64)
  watch('f', IN.MODIFY | IN.ONESHOT)
  const lines = (from: number) => readFdInfo('/proc/self', from).rest
  job.dump(fd)
  expect(job.obstacles).toEqual([])
  const [restored] = job.restore()
  expect(lines(restored!)).toEqual(lines(fd))
  expect(lines(fd).map(([, value]) => value.slice(0, 2))).toEqual(['3 ', '1 '])
  closeAll([fd, restored!])
})

test('unread events are refused', () => {
  using job = new FilesJob()
  using s = scratch()
  const fd = must('inotify_init1', 0)
  must('inotify_add_watch', fd, s.string(job.directory), IN.CREATE)
  writeFileSync(job.path('f'), '')
  job.dump(fd)
  expect(job.obstacles.map(({ what }) => what)).toEqual([
    'inotify instance with events to be read (32 bytes)',
  ])
  closeAll([fd])
})

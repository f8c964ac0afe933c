import { expect, test } from 'bun:test'
import { fstatSync, readlinkSync, readSync, writeSync } from 'node:fs'
import { F, F_SEAL, O } from '../../../../src/kernel/constants/fcntl.ts'
import { scratch } from '../../../../src/kernel/memory.ts'
import { close, must, open, sys } from '../../../../src/kernel/sys.ts'
import { closeAll, FilesJob, infoOf } from './job.ts'

function makeMemfd(name: string, flags: number): number {
  using s = scratch()
  return must('memfd_create', s.string(name), flags)
}

function textOf(fd: number, at = 0): string {
  const bytes = Buffer.alloc(1 << 16)
  return bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, at))
}

test('a memfd keeps content, size, position, seals, mode and name', () => {
  using job = new FilesJob()
  const fd = makeMemfd('kept', 2)
  writeSync(fd, 'memfd content')
  must('fcntl', fd, F.ADD_SEALS, F_SEAL.SHRINK | F_SEAL.GROW)
  must('fchmod', fd, 0o640)
  must('lseek', fd, 9, 0)
  const other = open(`/proc/self/fd/${fd}`, O.RDONLY)
  const before = [fd, other].map((one) => ({ flags: infoOf(one).flags, pos: infoOf(one).pos }))
  job.dump(fd, other)
  expect(job.obstacles).toEqual([])
  closeAll([fd, other])
  const restored = job.restore()
  const after = restored.map((one) => ({ flags: infoOf(one).flags, pos: infoOf(one).pos }))
  // Close-on-exec belongs to the descriptor.
  const plain = (list: typeof before) => list.map((o) => ({ ...o, flags: o.flags & ~O.CLOEXEC }))
  expect(plain(after)).toEqual(plain(before))
  for (const one of restored) {
    expect(readlinkSync(`/proc/self/fd/${one}`)).toBe('/memfd:kept (deleted)')
    expect(textOf(one)).toBe('memfd content')
    expect(fstatSync(one).mode).toBe(0o100640)
    expect(must('fcntl', one, F.GET_SEALS)).toBe(F_SEAL.SHRINK | F_SEAL.GROW)
  }
  expect(sys('ftruncate', restored[0]!, 3)).toBe(-1)
  closeAll(restored)
})

test('a large memfd with holes, and one that cannot be sealed', () => {
  using job = new FilesJob()
  const fd = makeMemfd('holes', 0)
  must('ftruncate', fd, 1 << 28)
  writeSync(fd, 'middle', 1 << 27)
  job.dump(fd)
  close(fd)
  const [restored] = job.restore() as number[] as [number]
  expect(fstatSync(restored).size).toBe(1 << 28)
  expect(fstatSync(restored).blocks).toBeLessThanOrEqual(8)
  expect(textOf(restored, 1 << 27).slice(0, 7)).toBe('middle\0')
  expect(must('fcntl', restored, F.GET_SEALS)).toBe(F_SEAL.SEAL)
  close(restored)
})

test('entries of memfds have what upstream writes', () => {
  using job = new FilesJob()
  const fd = makeMemfd('interop', 1)
  writeSync(fd, 'memfd content')
  const shmid = fstatSync(fd).ino
  job.dump(fd)
  close(fd)
  const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 }
  expect(job.images.readAll('files')).toEqual([
    { type: 18, id: 1, memfd: { id: 1, flags: 0x8002, pos: 13n, fown, inode_id: 1 } },
  ])
  expect(job.images.readAll('memfd')).toEqual([
    { name: 'interop', uid: 0, gid: 0, size: 13n, shmid, seals: 1, inode_id: 1n, mode: 0o100777 },
  ])
  expect(job.images.readPagemap('pagemap-shmem', shmid).table.count).toBe(1)
})

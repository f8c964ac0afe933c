import { expect, test } from 'bun:test'
import { unlinkSync, writeSync } from 'node:fs'
import { F, O } from '../../../../src/kernel/constants/fcntl.ts'
import { FIO } from '../../../../src/kernel/constants/ioctl.ts'
import { scratch } from '../../../../src/kernel/memory.ts'
import { close, must, open, sys } from '../../../../src/kernel/sys.ts'
import { O_ASYNC } from '../../../../src/resources/files/async.ts'
import { ownFieldsOf } from '../../../../src/resources/files/pipe-fields.ts'
import { closeAll, FilesJob, infoOf } from './job.ts'

const EAGAIN = -11
const EPIPE = -32

function makePipe(flags = 0): [number, number] {
  using s = scratch()
  const memory = s.take(8)
  must('pipe2', memory.address, flags | O.CLOEXEC)
  return [memory.view.getInt32(0, true), memory.view.getInt32(4, true)]
}

function queued(fd: number): number {
  using s = scratch()
  const memory = s.take(4)
  must('ioctl', fd, FIO.NREAD, memory.address)
  return memory.view.getInt32(0, true)
}

/** What one read gives: its bytes as text, or −errno. */
function readOnce(fd: number, length = 1 << 20): string | number {
  using s = scratch()
  const memory = s.take(length)
  const got = sys('read', fd, memory.address, length)
  return got < 0 ? got : Buffer.from(memory.bytes.subarray(0, got)).toString('latin1')
}

function write(fd: number, text: string): number {
  using s = scratch()
  return sys('write', fd, s.put(Buffer.from(text, 'latin1')).address, text.length)
}

const flagsOf = (fd: number): number => must('fcntl', fd, F.GETFL)

/** Dumps and closes; the content must still be there after the dump. */
function pass(job: FilesJob, ...fds: number[]): number[] {
  const before = fds.map(flagsOf)
  const bytes = queued(fds[0]!)
  job.dump(...fds)
  expect(job.obstacles).toEqual([])
  expect(queued(fds[0]!)).toBe(bytes)
  closeAll(fds)
  const restored = job.restore()
  expect(restored.map(flagsOf)).toEqual(before)
  return restored
}

test('a pipe keeps its bytes, and both ends their flags', () => {
  using job = new FilesJob()
  const [r, w] = makePipe()
  must('fcntl', r, F.SETFL, O.NONBLOCK)
  write(w, 'hello')
  write(w, ' world')
  const [reader, writer] = pass(job, r, w) as [number, number]
  expect(readOnce(reader)).toBe('hello world')
  expect(readOnce(reader)).toBe(EAGAIN)
  write(writer, 'more')
  expect(readOnce(reader)).toBe('more')
  close(writer)
  expect(readOnce(reader)).toBe('')
  close(reader)
})

test('a pipe keeps its size, and a full one stays full', () => {
  for (const size of [4096, 65536, 512 * 1024]) {
    using job = new FilesJob()
    const [r, w] = makePipe(O.NONBLOCK)
    must('fcntl', w, F.SETPIPE_SZ, size)
    write(w, 'x'.repeat(size))
    const [reader, writer] = pass(job, r, w) as [number, number]
    expect(must('fcntl', reader, F.GETPIPE_SZ)).toBe(size)
    expect(write(writer, 'y')).toBe(EAGAIN)
    expect(readOnce(reader)).toBe('x'.repeat(size))
    closeAll([reader, writer])
  }
})

test('packets stay apart', () => {
  using job = new FilesJob()
  const [r, w] = makePipe(O.DIRECT)
  for (const packet of ['one', 'three', 'p'.repeat(5000)]) write(w, packet)
  const fds = pass(job, r, w)
  expect([1, 2, 3, 4].map(() => readOnce(fds[0]!))).toEqual([
    'one',
    'three',
    'p'.repeat(4096),
    'p'.repeat(904),
  ])
  closeAll(fds)
})

test('pieces that were read in part come back whole', () => {
  using job = new FilesJob()
  const [r, w] = makePipe()
  for (const letter of 'abcdefghijklmnopqrst') write(w, letter)
  expect(readOnce(r, 3)).toBe('abc')
  const fds = pass(job, r, w)
  expect(readOnce(fds[0]!)).toBe('defghijklmnopqrst')
  closeAll(fds)
})

test('an end that is gone is gone', () => {
  using first = new FilesJob()
  const [r, w] = makePipe()
  write(w, 'rest')
  close(w)
  const [reader] = pass(first, r) as [number]
  expect(readOnce(reader)).toBe('rest')
  expect(readOnce(reader)).toBe('')
  close(reader)

  using second = new FilesJob()
  const [r2, w2] = makePipe()
  close(r2)
  const [writer] = pass(second, w2) as [number]
  expect(write(writer, 'x')).toBe(EPIPE)
  close(writer)
})

test('ends opened again through /proc are descriptions of their own', () => {
  using job = new FilesJob()
  const [r, w] = makePipe()
  const both = open(`/proc/self/fd/${r}`, O.RDWR | O.NONBLOCK)
  const other = open(`/proc/self/fd/${r}`, O.RDONLY)
  write(w, 'abc')
  const fds = pass(job, r, w, both, other)
  expect(fds.map((fd) => infoOf(fd).flags & O.LARGEFILE)).toEqual([0, 0, O.LARGEFILE, O.LARGEFILE])
  expect([fds[0]!, fds[2]!, fds[3]!].map((fd) => readOnce(fd, 1))).toEqual(['a', 'b', 'c'])
  closeAll(fds)
})

test('a pipe whose other end is held elsewhere is dumped, and the restore is told', async () => {
  using job = new FilesJob()
  const [r, w] = makePipe()
  const holder = Bun.spawn(['sleep', '100'], { stdin: 'ignore', stdout: w })
  close(w)
  job.dump(r)
  holder.kill()
  await holder.exited
  expect(job.obstacles).toEqual([])
  const [data] = job.images.readWithPayload('pipes-data')
  expect(ownFieldsOf(data!.entry).outside).toBe(true)
  close(r)
})

test('a pipe whose other end is closed is told from that', () => {
  using job = new FilesJob()
  const [r, w] = makePipe()
  close(w)
  job.dump(r)
  expect(ownFieldsOf(job.images.readWithPayload('pipes-data')[0]!.entry).outside).toBe(false)
  close(r)
})

test('O_ASYNC comes back, with owner and signal', () => {
  using job = new FilesJob()
  const [r, w] = makePipe()
  must('fcntl', r, F.SETOWN, process.pid)
  must('fcntl', r, F.SETSIG, 28) // SIGWINCH: ignored by default
  must('fcntl', r, F.SETFL, O_ASYNC | O.NONBLOCK)
  const fds = pass(job, r, w)
  expect(must('fcntl', fds[0]!, F.GETOWN)).toBe(process.pid)
  expect(must('fcntl', fds[0]!, F.GETSIG)).toBe(28)
  closeAll(fds)
})

test('entries of pipes have what upstream writes', () => {
  using job = new FilesJob()
  const [r, w] = makePipe()
  write(w, 'in the pipe')
  job.dump(r, w)
  const pipe_id = Number(job.entries[0]!.pipe!.pipe_id)
  const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 }
  expect(job.images.readAll('files').map(({ type, pipe }) => ({ type, pipe }))).toEqual([
    { type: 2, pipe: { id: 1, pipe_id, flags: 0, fown } },
    { type: 2, pipe: { id: 2, pipe_id, flags: 1, fown } },
  ])
  expect(job.images.readAll('pipes-data')).toEqual([{ pipe_id, bytes: 11, size: 65536 }])
  closeAll([r, w])
})

function makeFifo(job: FilesJob): string {
  const path = job.path('fifo')
  using s = scratch()
  must('mknod', s.string(path), 0o10600, 0)
  return path
}

test('a fifo keeps bytes, size, and its ends; opening it does not block', () => {
  using job = new FilesJob()
  const path = makeFifo(job)
  const keeper = open(path, O.RDWR)
  const fds = [open(path, O.RDONLY), open(path, O.WRONLY)]
  close(keeper)
  must('fcntl', fds[0]!, F.SETPIPE_SZ, 128 * 1024)
  write(fds[1]!, 'in a fifo')
  const [reader, writer] = pass(job, ...fds) as [number, number]
  expect(must('fcntl', reader, F.GETPIPE_SZ)).toBe(128 * 1024)
  expect(readOnce(reader)).toBe('in a fifo')
  close(writer)
  expect(readOnce(reader)).toBe('')
  close(reader)
  expect(job.entries.map(({ type }) => type).sort()).toEqual([1, 1, 3, 3])
})

test('an unlinked fifo is carried as a ghost', () => {
  using job = new FilesJob()
  const path = makeFifo(job)
  const fds = [open(path, O.RDWR), open(path, O.RDONLY)]
  unlinkSync(path)
  write(fds[0]!, 'gone')
  const restored = pass(job, ...fds)
  expect(readOnce(restored[1]!)).toBe('gone')
  expect(() => unlinkSync(path)).toThrow()
  closeAll(restored)
})

test('two hundred pipes', () => {
  using job = new FilesJob()
  const pipes = Array.from({ length: 200 }, () => makePipe())
  for (const [i, [, w]] of pipes.entries()) writeSync(w, String(i))
  const fds = pass(job, ...pipes.flat())
  expect(pipes.map((_, i) => readOnce(fds[2 * i]!))).toEqual(pipes.map((_, i) => String(i)))
  closeAll(fds)
})

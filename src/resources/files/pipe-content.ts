import { fail } from '../../errors/error.ts'
import { F, O } from '../../kernel/constants/fcntl.ts'
import { FIO } from '../../kernel/constants/ioctl.ts'
import { Errno } from '../../kernel/errno.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, close, must, owned, sys, tryOpen } from '../../kernel/sys.ts'
import type { FdProbe } from '../dump-model.ts'

/** More than any pipe can hold. */
const EVERYTHING = 0x7fff_ffff
/** SPLICE_F_NONBLOCK (man 2 splice). */
const NONBLOCK = 2
/** Bytes of one read or write. */
const STEP = 4 * 1024 * 1024

/** What lies in a pipe. */
export interface PipeContent {
  readonly content: Uint8Array
  /** Capacity in bytes. */
  readonly size: number
  /** Lengths of what is read at once, in packet mode. */
  readonly packets: readonly number[] | undefined
}

/**
 * Copies what lies in a pipe and leaves it there: tee duplicates the buffers into a pipe of ours.
 * Packets stay packets in it, and are read one by one.
 */
export function takeContent(ends: readonly FdProbe[]): PipeContent {
  const [first] = ends
  const size = must('fcntl', first!.local, F.GETPIPE_SZ)
  using source = readEnd(ends)
  if (bytesIn(source.fd) === 0) return { content: new Uint8Array(0), size, packets: undefined }
  const copy = makePipe()
  try {
    setSize(copy.write, size)
    const length = must('tee', source.fd, copy.write, EVERYTHING, NONBLOCK)
    const { content, lengths } = drain(copy.read, length)
    const inPackets = lengths.length > 1 || ends.some(({ flags }) => flags & O.DIRECT)
    return { content, size, packets: inPackets ? lengths : undefined }
  } finally {
    close(copy.read)
    close(copy.write)
  }
}

/** A descriptor that may read: one of the tree's, or for want of such one opened anew. */
function readEnd(ends: readonly FdProbe[]): { readonly fd: number } & Disposable {
  const reader = ends.find(({ flags }) => (flags & O.ACCMODE) !== O.WRONLY)
  if (reader) return { fd: reader.local, [Symbol.dispose]() {} }
  const path = `/proc/self/fd/${ends[0]!.local}`
  return owned(checked(tryOpen(path, O.RDONLY | O.NONBLOCK), 'open', { path }))
}

export function bytesIn(fd: number): number {
  using s = scratch()
  const memory = s.take(4)
  must('ioctl', fd, FIO.NREAD, memory.address)
  return memory.view.getInt32(0, true)
}

/** A pipe of our own; neither end blocks. */
export function makePipe(): { read: number; write: number } {
  using s = scratch()
  const memory = s.take(8)
  must('pipe2', memory.address, O.CLOEXEC | O.NONBLOCK)
  return { read: memory.view.getInt32(0, true), write: memory.view.getInt32(4, true) }
}

/** Reads it empty; a read that gives less than asked ended at the end of a packet. */
function drain(fd: number, length: number): { content: Uint8Array; lengths: number[] } {
  const content = new Uint8Array(length)
  const lengths: number[] = []
  let packet = 0
  for (let done = 0; done < length; ) {
    using s = scratch()
    const step = Math.min(STEP, length - done)
    const memory = s.take(step)
    const got = must('read', fd, memory.address, step)
    content.set(memory.bytes.subarray(0, got), done)
    done += got
    packet += got
    if (got === step && done < length) continue
    lengths.push(packet)
    packet = 0
  }
  return { content, lengths }
}

/** Puts content into an empty pipe whose write end does not block. */
export function fillPipe(
  fd: number,
  size: number | undefined,
  content: Uint8Array,
  packets: readonly number[] | undefined,
): void {
  if (size !== undefined) setSize(fd, size)
  if (packets) must('fcntl', fd, F.SETFL, O.NONBLOCK | O.DIRECT)
  let done = 0
  for (const length of packets ?? [content.length]) {
    const end = done + length
    while (done < end) done += writeSome(fd, content.subarray(done, Math.min(end, done + STEP)))
  }
}

function writeSome(fd: number, bytes: Uint8Array): number {
  using s = scratch()
  return checked(sys('write', fd, s.put(bytes).address, bytes.length), 'write', { kind: 'pipe' })
}

function setSize(fd: number, size: number): void {
  if (must('fcntl', fd, F.GETPIPE_SZ) === size) return
  const result = sys('fcntl', fd, F.SETPIPE_SZ, size)
  if (result >= 0) return
  const remedy = `raise /proc/sys/fs/pipe-max-size to ${size}`
  fail({
    code: 'syscall',
    operation: 'F_SETPIPE_SZ',
    errno: -result,
    kind: 'pipe',
    ...(result === -Errno.EPERM && { remedy }),
  })
}

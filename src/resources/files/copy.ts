import { fail } from '../../errors/error.ts'
import { SEEK } from '../../kernel/constants/fcntl.ts'
import { Errno } from '../../kernel/errno.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, must, sys } from '../../kernel/sys.ts'

/** Bytes of a file that are no hole. */
export interface Piece {
  readonly offset: number
  readonly length: number
}

/** Bytes of one call: the kernel takes 2 GiB at most, and a signal should not wait for long. */
const STEP = 64 * 1024 * 1024

/**
 * Copies bytes between two files within the kernel, from and to the given offsets. Neither position
 * moves. `what` is for the error that tells that the source ended too early.
 */
export function copyBytes(
  from: number,
  fromOffset: number,
  to: number,
  toOffset: number,
  length: number,
  what: string,
): void {
  using s = scratch()
  const offsets = s.take(16)
  for (let done = 0; done < length; ) {
    offsets.view.setBigInt64(0, BigInt(fromOffset + done), true)
    offsets.view.setBigInt64(8, BigInt(toOffset + done), true)
    const step = Math.min(length - done, STEP)
    const copied = copyStep(from, to, step, offsets.address, toOffset + done)
    if (copied === 0) {
      const reason = `${what} ended after ${done} of ${length} bytes`
      fail({ code: 'conflict', reason, remedy: 'nobody may change it meanwhile' })
    }
    done += copied
  }
}

/** copy_file_range shares blocks where it can; between kinds of file systems there is sendfile. */
function copyStep(from: number, to: number, step: number, offsets: bigint, at: number): number {
  const copied = sys('copy_file_range', from, offsets, to, offsets + 8n, step, 0)
  if (!fallsBack.has(-copied)) return checked(copied, 'copy_file_range')
  must('lseek', to, at, SEEK.SET)
  return checked(sys('sendfile', to, from, offsets, step), 'sendfile')
}

const fallsBack = new Set<number>([
  Errno.EXDEV,
  Errno.EINVAL,
  Errno.EOPNOTSUPP,
  Errno.ENOSYS,
  Errno.EBADF,
])

/** What of a file is data, from an offset to a size, by SEEK_DATA and SEEK_HOLE (man 2 lseek). */
export function dataPieces(fd: number, size: number, from = 0): Piece[] {
  const pieces: Piece[] = []
  for (let at = from; at < size; ) {
    const offset = sys('lseek', fd, at, SEEK.DATA)
    if (offset === -Errno.ENXIO) break
    checked(offset, 'lseek')
    const end = Math.min(must('lseek', fd, offset, SEEK.HOLE), size)
    if (offset >= size) break
    pieces.push({ offset, length: end - offset })
    at = end
  }
  return pieces
}

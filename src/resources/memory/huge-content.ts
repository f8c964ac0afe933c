import { fail } from '../../errors/error.ts'
import { MAP, PROT } from '../../kernel/constants/mman.ts'
import { Errno } from '../../kernel/errno.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, must, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { failForPages } from './huge.ts'

const COPY = 1 << 20

/** A run of bytes of a file. */
export interface FileRange {
  readonly start: number
  readonly end: number
}

/**
 * Pages of a file of huge pages that are not all zero. hugetlbfs tells nothing of holes (lseek takes the
 * whole file for data), and a page that is left out comes back as zeroes too.
 */
export function hugeDataRanges(fd: LocalFd, pageSize: number, size: number): FileRange[] {
  const ranges: FileRange[] = []
  for (let start = 0; start < size; start += pageSize)
    if (hasContent(fd, start, pageSize)) ranges.push({ start, end: start + pageSize })
  return ranges
}

function hasContent(fd: LocalFd, start: number, length: number): boolean {
  using s = scratch()
  const memory = s.takeDirty(COPY)
  for (let done = 0; done < length; done += COPY) {
    const asked = Math.min(COPY, length - done)
    const got = checked(
      sys('pread64', fd, memory.address, asked, start + done),
      'read of huge pages',
    )
    const words = new BigUint64Array(memory.bytes.buffer, memory.bytes.byteOffset, got / 8)
    if (words.some((word) => word !== 0n)) return true
  }
  return false
}

/** hugetlbfs knows no splice, so no sendfile(2) either. */
export function copyHuge(source: LocalFd, image: LocalFd, start: number, end: number): void {
  using s = scratch()
  const memory = s.takeDirty(COPY)
  for (let at = start; at < end; at += COPY) {
    const asked = Math.min(COPY, end - at)
    checked(sys('pread64', source, memory.address, asked, at), 'read of huge pages')
    const written = checked(sys('write', image, memory.address, asked), 'write of an image')
    if (written !== asked) fail({ code: 'syscall', operation: 'write', errno: Errno.ENOSPC })
  }
}

/** hugetlbfs knows no write(2): the file is mapped, and read into. */
export function readIntoHuge(
  from: LocalFd,
  fromOffset: number,
  to: LocalFd,
  toOffset: number,
  length: number,
  pageSize: number,
): number {
  const prot = PROT.READ | PROT.WRITE
  const address = sys('mmap', 0, length, prot, MAP.SHARED, to, toOffset)
  if (address === -Errno.ENOMEM) failForPages(pageSize, length / pageSize)
  checked(address, 'mmap of huge pages')
  try {
    let done = 0
    while (done < length) {
      const asked = Math.min(COPY, length - done)
      const got = sys('pread64', from, address + done, asked, fromOffset + done)
      // Nothing was set aside, and the first touch found no page.
      if (got === -Errno.EFAULT) failForPages(pageSize, length / pageSize)
      if (checked(got, 'pread') === 0) break
      done += got
    }
    return done
  } finally {
    must('munmap', address, length)
  }
}

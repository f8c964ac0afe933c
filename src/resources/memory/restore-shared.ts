import { fail } from '../../errors/error.ts'
import type { ImageId } from '../../images/catalogue.ts'
import type { Progress } from '../../job/progress.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { MAP, PROT } from '../../kernel/constants/mman.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, close, must, open, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { RestoreContext } from '../restore-model.ts'
import { HUGE_BITS, hugePageSize } from './huge.ts'
import { readIntoHuge } from './huge-content.ts'
import { readPageRuns } from './restore-pages.ts'
import { VMA } from './vma-bits.ts'

const COPY = 1 << 20

/** A piece of shared anonymous memory. */
export interface SharedPiece {
  readonly size: bigint
  /** MAP_HUGETLB with the size of its pages, or 0. */
  readonly huge: number
}

/** Shared anonymous memory of all tasks, by its id. */
export function sharedPieces({ model }: RestoreContext): Map<bigint, SharedPiece> {
  const pieces = new Map<bigint, SharedPiece>()
  for (const { mm } of model.tasks)
    for (const vma of mm?.vmas ?? []) {
      if ((vma.status & (VMA.anonShared | VMA.sysvIpc)) !== VMA.anonShared) continue
      const end = vma.pgoff + (vma.end - vma.start)
      const known = pieces.get(vma.shmid)?.size ?? 0n
      const huge = vma.flags & MAP.HUGETLB ? vma.flags & HUGE_BITS : 0
      pieces.set(vma.shmid, { size: end > known ? end : known, huge })
    }
  return pieces
}

/**
 * Makes a piece of shared anonymous memory with its content, and returns a descriptor by which any
 * task maps it. It is the kernel's own nameless file, as if a task had mapped it: that there is a
 * descriptor for it only /proc/self/map_files tells.
 */
export function makeSharedMemory(
  id: bigint,
  { size, huge }: SharedPiece,
  restore: RestoreContext,
): LocalFd {
  const flags = MAP.SHARED | MAP.ANONYMOUS | MAP.NORESERVE | huge
  const address = must('mmap', 0, size, PROT.READ | PROT.WRITE, flags, -1, 0)
  try {
    const [start, end] = [BigInt(address), BigInt(address) + size]
    const fd = open(`/proc/self/map_files/${start.toString(16)}-${end.toString(16)}`, O.RDWR)
    fillShared(id, fd, restore)
    return fd
  } finally {
    sys('munmap', address, size)
  }
}

/** Writes the content that images have of shared memory (pagemap-shmem-ID) into a file of it. */
export function fillShared(id: ImageId, target: LocalFd, restore: RestoreContext): void {
  if (!restore.images.has('pagemap-shmem', id)) return
  const opened: LocalFd[] = []
  const runs = readPageRuns(restore.images, 'pagemap-shmem', id, (fd) => {
    opened.push(fd)
    return fd
  })
  const hugePage = hugePageSize(target)
  restore.progress.expect(runs.total)
  try {
    for (let i = 0; i < runs.count; i++) {
      const { fd, file } = runs.sources[runs.source[i]!]!
      const [offset, at, length] = [runs.offset[i]!, runs.address[i]!, runs.length[i]!]
      if (hugePage === undefined) copyRange(fd, offset, target, at, length, file, restore.progress)
      else if (readIntoHuge(fd, offset, target, at, length, hugePage) < length)
        fail({ code: 'image', file, reason: 'it ends before its last page' })
    }
    restore.stats.count('pagesRestored', runs.total / 4096)
  } finally {
    for (const fd of opened) close(fd)
  }
}

function copyRange(
  from: LocalFd,
  fromOffset: number,
  to: LocalFd,
  toOffset: number,
  length: number,
  file: string,
  progress: Progress,
): void {
  using s = scratch()
  const buffer = s.take(Math.min(COPY, length)).address
  for (let done = 0; done < length; ) {
    const size = Math.min(COPY, length - done)
    const count = checked(sys('pread64', from, buffer, size, fromOffset + done), 'pread', {
      path: file,
    })
    if (count === 0) fail({ code: 'image', file, reason: 'it ends before its last page' })
    const written = checked(sys('pwrite64', to, buffer, count, toOffset + done), 'pwrite', {
      kind: 'shared memory',
    })
    if (written !== count) fail({ code: 'syscall', operation: 'pwrite', errno: 28 })
    done += count
    progress.advance(count)
  }
}

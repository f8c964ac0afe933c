import { fail } from '../../errors/error.ts'
import type { ImageId } from '../../images/catalogue.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { MAP, PROT } from '../../kernel/constants/mman.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, close, must, open, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { RestoreContext } from '../restore-model.ts'
import { readPageRuns } from './restore-pages.ts'
import { VMA } from './vma-bits.ts'

const COPY = 1 << 20

/** Shared anonymous memory of all tasks: the size of each piece, by its id. */
export function sharedSizes({ model }: RestoreContext): Map<bigint, bigint> {
  const sizes = new Map<bigint, bigint>()
  for (const { mm } of model.tasks)
    for (const vma of mm?.vmas ?? []) {
      if ((vma.status & (VMA.anonShared | VMA.sysvIpc)) !== VMA.anonShared) continue
      const end = vma.pgoff + (vma.end - vma.start)
      const known = sizes.get(vma.shmid) ?? 0n
      sizes.set(vma.shmid, end > known ? end : known)
    }
  return sizes
}

/**
 * Makes a piece of shared anonymous memory with its content, and returns a descriptor by which any
 * task maps it. It is the kernel's own nameless file, as if a task had mapped it: that there is a
 * descriptor for it only /proc/self/map_files tells.
 */
export function makeSharedMemory(id: bigint, size: bigint, restore: RestoreContext): LocalFd {
  const flags = MAP.SHARED | MAP.ANONYMOUS | MAP.NORESERVE
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
  try {
    for (let i = 0; i < runs.count; i++) {
      const { fd, file } = runs.sources[runs.source[i]!]!
      copyRange(fd, runs.offset[i]!, target, runs.address[i]!, runs.length[i]!, file)
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
  }
}

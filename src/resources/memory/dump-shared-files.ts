import type { LocalFd } from '../../kernel/types.ts'
import type { DumpContext } from '../dump-model.ts'

const known = new WeakMap<DumpContext, Map<bigint, LocalFd>>()

/** Shared memory with a descriptor (memfds), by the number that its images have. */
export function sharedFilesOf(dump: DumpContext): Map<bigint, LocalFd> {
  const files = known.get(dump) ?? new Map<bigint, LocalFd>()
  known.set(dump, files)
  return files
}

/**
 * Has the content of a memfd written to pagemap-shmem-ID.img at the pages stage. `fd` is any
 * descriptor of it, open until then.
 */
export function addSharedFile(id: bigint, fd: LocalFd, dump: DumpContext): void {
  sharedFilesOf(dump).set(id, fd)
}

const HIGH = 1n << 31n
/** Inodes of the kernel's hugetlbfs count from 1 as those of its tmpfs do. */
const HUGE = 1n << 30n

const segments = new WeakMap<DumpContext, Set<bigint>>()

/** Segments of System V shared memory that the tree has attached: their ids are given. */
function segmentsOf(dump: DumpContext): Set<bigint> {
  const found =
    segments.get(dump) ??
    new Set(
      dump.tasks.flatMap(({ maps }) =>
        maps.filter(({ path }) => path.startsWith('/SYSV')).map(({ inode }) => inode),
      ),
    )
  segments.set(dump, found)
  return found
}

/**
 * The number that images have of a piece of shared memory: its inode's, but where a segment of System V
 * has that as its id, or where it lies in another file system. Below 2^32, since memfds' has no more.
 */
export function sharedMemoryId(inode: bigint, huge: boolean, dump: DumpContext): number {
  const id = (BigInt.asUintN(32, inode) + (huge ? HUGE : 0n)) & 0xffff_ffffn
  return Number(segmentsOf(dump).has(id) ? id ^ HIGH : id)
}

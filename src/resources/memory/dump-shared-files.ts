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

import type { Init } from '../../images/codec.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { SHM } from '../../kernel/constants/ipc.ts'
import { readMaps } from '../../kernel/proc/maps.ts'
import { close, must, open } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { DumpContext } from '../dump-model.ts'
import { addSharedFile } from '../memory/dump-shared-files.ts'
import { hugePageSize, hugeSizeBits } from '../memory/huge.ts'
import { describe } from './desc.ts'
import type { TreeShm } from './tree-objects.ts'

type ShmEntry = Init<Messages['ipc_shm_entry']>

const opened = new WeakMap<DumpContext, Map<number, number>>()

/** Has the content of all segments written with other shared memory (pagemap-shmem-ID). */
export function dumpShmContent(segments: Iterable<TreeShm>, dump: DumpContext): void {
  const hugeSizes = new Map<number, number>()
  opened.set(dump, hugeSizes)
  for (const { shm, mapping } of segments) {
    const fd = mapping === undefined ? openDetached(shm.id) : open(mapping, O.RDONLY)
    dump.atEnd(() => close(fd))
    addSharedFile(BigInt(shm.id), fd, dump)
    const hugePage = hugePageSize(fd)
    if (hugePage !== undefined) hugeSizes.set(shm.id, hugePage)
  }
}

/** Nobody has it attached: we do for a moment, to open the file behind it. */
function openDetached(id: number): LocalFd {
  const address = BigInt(must('shmat', id, 0, SHM.RDONLY))
  try {
    const mapping = readMaps('/proc/self').find(({ start }) => start === address)!
    const range = `${mapping.start.toString(16)}-${mapping.end.toString(16)}`
    return open(`/proc/self/map_files/${range}`, O.RDONLY)
  } finally {
    must('shmdt', address)
  }
}

/** Entries as upstream writes them; of huge pages with the logarithm of their size (man 2 shmget). */
export function shmEntries(segments: Iterable<TreeShm>, dump: DumpContext): ShmEntry[] {
  return [...segments].map(({ shm }) => {
    const huge = opened.get(dump)?.get(shm.id)
    const entry = { desc: describe(shm), size: shm.size, in_pagemaps: true }
    return huge === undefined ? entry : { ...entry, hugetlb_flag: hugeSizeBits(huge) }
  })
}

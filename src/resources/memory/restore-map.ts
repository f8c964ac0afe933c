import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { MAP, PROT } from '../../kernel/constants/mman.ts'
import type { Table } from '../../kernel/table.ts'
import { fileId, type LocalFd } from '../../kernel/types.ts'
import type { RestoreContext, RestoreTask } from '../restore-model.ts'
import { HUGE_BITS } from './huge.ts'
import type { PageRuns } from './restore-pages.ts'
import { VMA } from './vma-bits.ts'

type Vma = Messages['vma_entry']

/** A mapping to make: where from, and whether it must be written before it has its protection. */
export interface MappingToMake {
  readonly vma: Vma
  /** −1 for anonymous memory. */
  readonly fd: LocalFd | -1
  /** Content comes from the images, into memory that the task itself must not write. */
  readonly writeFirst: boolean
  /** Looks other than its neighbour until both have pages, so that the kernel does not merge them. */
  readonly apart: boolean
  /** No content of its own comes from the images. */
  readonly empty: boolean
  /** Gets a page for a moment: a mapping that never had one is merged with its neighbour. */
  readonly touch: boolean
}

/** Of the image's flags, those that mmap takes; MAP_LOCKED would fill the whole mapping at once. */
const MMAP_FLAGS = MAP.GROWSDOWN | MAP.NORESERVE

/** Shared anonymous memory by its id, as descriptors. */
export type SharedFds = ReadonlyMap<bigint, LocalFd>

/** What kind of memory a mapping is of decides where it comes from. */
export function mappingToMake(
  vma: Vma,
  runs: PageRuns,
  shared: SharedFds,
  restore: RestoreContext,
): MappingToMake {
  const isPrivate = (vma.flags & MAP.SHARED) === 0
  const hasContent = isPrivate && runs.touches(Number(vma.start), Number(vma.end))
  const writeFirst = hasContent && (vma.prot & PROT.WRITE) === 0
  const usual = { writeFirst, apart: false, empty: !hasContent, touch: false }
  // Its protection comes once it is attached, which knows only two.
  if (vma.status & VMA.sysvIpc) return { vma, fd: -1, ...usual, writeFirst: true }
  if (vma.status & VMA.anonShared) {
    const fd = shared.get(vma.shmid)
    if (fd === undefined) {
      const reason = `it has no shared memory ${vma.shmid}`
      fail({ code: 'image', file: restore.images.path, reason })
    }
    return { vma, fd: fd!, ...usual }
  }
  if (vma.status & (VMA.filePrivate | VMA.fileShared)) {
    const access = (vma.fdflags ?? defaultAccess(vma)) & O.ACCMODE
    const fd = restore.files.reopen(fileId(Number(vma.shmid)), access)
    return { vma, fd, ...usual }
  }
  if (vma.status & VMA.socket)
    return { vma, fd: restore.files.description(fileId(Number(vma.shmid))), ...usual }
  // Made as one with its neighbours (joinHuge): its own protection comes at the end.
  if (isPrivateHuge(vma)) return { vma, fd: -1, ...usual, writeFirst: true }
  return { vma, fd: -1, ...usual }
}

const isPrivateHuge = ({ status, flags }: Vma): boolean =>
  (status & VMA.anonPrivate) !== 0 && (flags & MAP.HUGETLB) !== 0

/** Parts of one private mapping of huge pages are made by one call: they share a nameless file. */
export function joinHuge(mappings: readonly MappingToMake[]): MappingToMake[] {
  const result: MappingToMake[] = []
  for (const mapping of mappings) {
    const before = result.at(-1)
    const vma = before && joined(before.vma, mapping.vma)
    if (vma) result[result.length - 1] = { ...before, vma }
    else result.push(mapping)
  }
  return result
}

function joined(a: Vma, b: Vma): Vma | undefined {
  if (!isPrivateHuge(a) || !isPrivateHuge(b) || a.shmid === 0n || a.shmid !== b.shmid)
    return undefined
  if (a.end !== b.start || a.pgoff + (a.end - a.start) !== b.pgoff) return undefined
  return { ...a, end: b.end }
}

/**
 * Neighbours that are alike in all were two mappings because each had pages of its own before they met
 * (mm/vma.c: different anon_vma). Every second one of them is kept apart until then.
 */
export function keepApart(mappings: readonly MappingToMake[]): MappingToMake[] {
  const result: MappingToMake[] = []
  for (const mapping of mappings) {
    const before = result.at(-1)
    if (!before || !isContinuation(before.vma, mapping.vma)) {
      result.push(mapping)
      continue
    }
    result[result.length - 1] = { ...before, touch: before.empty }
    result.push({ ...mapping, apart: !before.apart, touch: mapping.empty })
  }
  return result
}

function isContinuation(a: Vma, b: Vma): boolean {
  if (a.end !== b.start || a.flags & (MAP.SHARED | MAP.HUGETLB)) return false
  if (a.prot !== b.prot || a.flags !== b.flags || (a.madv ?? 0n) !== (b.madv ?? 0n)) return false
  const isFile = a.status & VMA.filePrivate
  if (isFile !== (b.status & VMA.filePrivate)) return false
  return !isFile || (a.shmid === b.shmid && a.pgoff + (a.end - a.start) === b.pgoff)
}

/** Images of old have no fdflags. */
function defaultAccess({ flags, prot }: Vma): number {
  return flags & MAP.SHARED && prot & PROT.WRITE ? O.RDWR : O.RDONLY
}

export function addMmap(table: Table, { vma, fd, writeFirst }: MappingToMake): void {
  const anonymous = fd === -1
  const flags =
    typeOf(vma) |
    (vma.flags & MMAP_FLAGS) |
    MAP.FIXED_NOREPLACE |
    (anonymous ? MAP.ANONYMOUS | hugeFlags(vma) : 0)
  const prot = writeFirst ? vma.prot | PROT.WRITE : vma.prot
  const offset = anonymous ? 0n : vma.pgoff
  table.call('mmap', vma.start, vma.end - vma.start, prot, flags, fd, offset)
}

const hugeFlags = ({ flags }: Vma): number => (flags & MAP.HUGETLB ? flags & HUGE_BITS : 0)

function typeOf({ flags }: Vma): number {
  if (flags & MAP.DROPPABLE) return MAP.DROPPABLE
  return flags & MAP.SHARED ? MAP.SHARED : MAP.PRIVATE
}

/** Those of the image's mappings that the task itself had made. */
export function ownVmas(task: RestoreTask): Vma[] {
  const others = VMA.vsyscall | VMA.vdso | VMA.vvar | VMA.guard | VMA.aioRing | VMA.uring
  return (task.mm?.vmas ?? []).filter(({ status }) => (status & others) === 0)
}

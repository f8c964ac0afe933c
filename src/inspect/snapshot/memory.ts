import type { Messages } from '../../images/gen/messages.ts'
import { VMA } from '../../images/vma-status.ts'
import { MAP, PROT } from '../../kernel/constants/mman.ts'
import type { Files } from './files.ts'
import { type Mapping, type MappingKind, type Memory, PAGE, type PageRange } from './model.ts'

type VmaEntry = Messages['vma_entry']

/** Ids of shared memory as views number them: 1, 2, … in the order in which they turn up. */
export class SharedNumbers {
  readonly #numbers = new Map<bigint, number>()

  of(id: bigint): number {
    const known = this.#numbers.get(id)
    if (known !== undefined) return known
    this.#numbers.set(id, this.#numbers.size + 1)
    return this.#numbers.size
  }
}

/** What several processes have in common: names of files, and the content of shared memory. */
export interface Shared {
  readonly files: Files
  readonly numbers: SharedNumbers
  /** Ranges by offset in the shared memory that a mapping shows; undefined: it shows none. */
  ranges(vma: VmaEntry): readonly PageRange[] | undefined
}

export function memoryOf(
  vmas: readonly VmaEntry[],
  pages: readonly PageRange[],
  shared: Shared,
): Memory {
  const counts = new PageCounts(pages)
  const mappings = vmas.map((vma) => mappingOf(vma, counts, shared))
  const size = mappings.reduce((sum, { start, end }) => sum + (end - start), 0)
  const saved = pages.reduce((sum, range) => sum + (range.where === 'lazy' ? 0 : range.pages), 0)
  return { size, saved: saved * PAGE, mappings, pages }
}

function mappingOf(vma: VmaEntry, counts: PageCounts, shared: Shared): Mapping {
  const { prot, flags, status, pgoff, shmid } = vma
  const start = Number(vma.start)
  const end = Number(vma.end)
  return {
    start,
    end,
    access: `${prot & PROT.READ ? 'r' : '-'}${prot & PROT.WRITE ? 'w' : '-'}${prot & PROT.EXEC ? 'x' : '-'}`,
    shared: (flags & MAP.SHARED) !== 0,
    kind: kindOf(vma),
    name: nameOf(vma, shared),
    offset: Number(pgoff),
    ...(sharedCounts(vma, shared) ?? counts.between(start, end)),
    status,
    id: Number(shmid),
  }
}

const has = (status: number, bits: number): boolean => (status & bits) !== 0
const OF_FILE = VMA.filePrivate | VMA.fileShared

function kindOf({ status, prot, flags }: VmaEntry): MappingKind {
  if (has(status, VMA.vdso | VMA.vvar | VMA.vsyscall)) return 'kernel'
  if (has(status, VMA.socket | VMA.aioRing | VMA.uring)) return 'device'
  if (has(status, VMA.memfd | VMA.sysvIpc | VMA.anonShared)) return 'shared'
  if (prot === 0) return 'guard'
  if (has(status, OF_FILE)) {
    if (prot & PROT.EXEC) return 'code'
    return prot & PROT.WRITE && has(status, VMA.filePrivate) ? 'data' : 'file'
  }
  if (has(status, VMA.heap)) return 'heap'
  return has(status, VMA.stack) || flags & MAP.GROWSDOWN ? 'stack' : 'anonymous'
}

function nameOf({ status, flags, shmid }: VmaEntry, { files, numbers }: Shared): string {
  if (has(status, VMA.sysvIpc)) return `ips[${numbers.of(shmid).toString(16)}]`
  if (has(status, VMA.anonShared)) return `shmem[${numbers.of(shmid).toString(16)}]`
  if (has(status, VMA.socket)) return `packet[${numbers.of(shmid).toString(16)}]`
  if (has(status, OF_FILE)) return files.name(Number(shmid)) ?? 'unknown path'
  if (has(status, VMA.stack)) return '[stack]'
  if (has(status, VMA.vsyscall)) return '[vsyscall]'
  if (has(status, VMA.vdso)) return '[vdso]'
  if (has(status, VMA.vvar)) return '[vvar]'
  if (has(status, VMA.heap)) return '[heap]'
  if (has(status, VMA.aioRing)) return '[aio]'
  if (has(status, VMA.uring)) return '[io_uring]'
  return flags & MAP.GROWSDOWN ? '[stack?]' : ''
}

function sharedCounts(vma: VmaEntry, shared: Shared) {
  const ranges = shared.ranges(vma)
  const offset = Number(vma.pgoff)
  return ranges && new PageCounts(ranges).between(offset, offset + Number(vma.end - vma.start))
}

/** Counts pages of ranges that rise; mappings rise too, but for what is asked again. */
class PageCounts {
  readonly #ranges: readonly PageRange[]
  #at = 0

  constructor(ranges: readonly PageRange[]) {
    this.#ranges = ranges
  }

  between(start: number, end: number): { present: number; inParent: number } {
    const ranges = this.#ranges
    while (this.#at > 0 && endOf(ranges[this.#at - 1]!) > start) this.#at--
    while (this.#at < ranges.length && endOf(ranges[this.#at]!) <= start) this.#at++
    let present = 0
    let inParent = 0
    for (let i = this.#at; i < ranges.length && ranges[i]!.start < end; i++) {
      const range = ranges[i]!
      const pages = (Math.min(end, endOf(range)) - Math.max(start, range.start)) / PAGE
      if (range.where === 'images') present += pages
      else if (range.where === 'parent') inParent += pages
    }
    return { present, inParent }
  }
}

const endOf = ({ start, pages }: PageRange): number => start + pages * PAGE

import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { FS_MAGIC } from '../../kernel/constants/magic.ts'
import { MAP } from '../../kernel/constants/mman.ts'
import { tryReadProcFile } from '../../kernel/proc/read.ts'
import { statFs } from '../../kernel/stat-fs.ts'
import type { RestoreContext } from '../restore-model.ts'
import { VMA } from './vma-bits.ts'

type Vma = Messages['vma_entry']

/** MAP_HUGETLB, and the logarithm of the size of its pages above it (man 2 mmap). */
export const HUGE_BITS = MAP.HUGETLB | (MAP.HUGE_MASK << MAP.HUGE_SHIFT)

/** Bytes of a page of the file system that a descriptor leads to, if that is hugetlbfs. */
export function hugePageSize(fd: number): number | undefined {
  const { type, bsize } = statFs(fd)
  return Number(type) === FS_MAGIC.HUGETLBFS_MAGIC ? Number(bsize) : undefined
}

/** The bits above the flags that stand for a size of pages. */
export const hugeSizeBits = (size: number): number => (Math.log2(size) << MAP.HUGE_SHIFT) >>> 0

/** Bytes of the pages that flags of mmap, or a `hugetlb_flag` of the images, stand for. */
export const hugeSizeOf = (flags: number): number =>
  2 ** ((flags >>> MAP.HUGE_SHIFT) & MAP.HUGE_MASK)

/**
 * Anonymous memory of huge pages has them set aside when it is mapped. Whether there are enough is asked
 * before anything is made: a shortage is to be told as such.
 */
export function checkHugePages({ model }: RestoreContext): void {
  const needed = new Map<number, bigint>()
  const seen = new Set<string>()
  for (const { mm } of model.tasks)
    for (const vma of mm?.vmas ?? []) {
      if (!setsAside(vma)) continue
      // What a child has by fork is set aside once.
      const key = `${vma.shmid} ${vma.pgoff}`
      if (vma.shmid !== 0n && seen.has(key)) continue
      seen.add(key)
      const size = hugeSizeOf(vma.flags)
      needed.set(size, (needed.get(size) ?? 0n) + (vma.end - vma.start))
    }
  for (const [size, bytes] of needed) {
    const pages = Number(bytes / BigInt(size))
    if (pages > freePages(size)) failForPages(size, pages)
  }
}

function setsAside({ flags, status }: Vma): boolean {
  const anonymous = status & (VMA.anonPrivate | VMA.anonShared)
  return (
    (flags & MAP.HUGETLB) !== 0 &&
    anonymous !== 0 &&
    (flags & MAP.NORESERVE) === 0 &&
    (status & VMA.sysvIpc) === 0
  )
}

const directory = (size: number): string => `/sys/kernel/mm/hugepages/hugepages-${size / 1024}kB`

/** Pages that a mapping could set aside now, with those that the kernel may make for it. */
function freePages(size: number): number {
  // None of that size on this machine: there is no such file.
  const count = (name: string): number =>
    Number(tryReadProcFile(`${directory(size)}/${name}`) ?? '0')
  const more = count('nr_overcommit_hugepages') - count('surplus_hugepages')
  return count('free_hugepages') - count('resv_hugepages') + Math.max(0, more)
}

/** What a user can do about too few huge pages. */
export function failForPages(size: number, pages: number): never {
  const reason = `the tasks need ${pages} huge pages of ${size / 1024} kB, and ${freePages(size)} are free`
  const remedy = `have more with ${directory(size)}/nr_hugepages`
  return fail({ code: 'conflict', reason, remedy })
}

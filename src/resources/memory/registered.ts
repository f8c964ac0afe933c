import { O } from '../../kernel/constants/fcntl.ts'
import { PAGE_IS, PAGEMAP, UFFDIO_REGISTER_MODE } from '../../kernel/constants/ioctl.ts'
import { readSync } from '../../kernel/fs.ts'
import { pageRegion, pmScanArg } from '../../kernel/layout/memory.ts'
import { scratch } from '../../kernel/memory.ts'
import type { SmapsMapping } from '../../kernel/proc/maps.ts'
import { checked, open, owned, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { DumpTask } from '../dump-model.ts'

/** Addresses, in bytes. Below 2^47, so exact as numbers. */
export interface AddressRange {
  readonly start: number
  readonly end: number
}

/** A mapping registered with a userfaultfd, and what its page tables say beyond their content. */
export interface RegisteredMapping {
  readonly mapping: SmapsMapping
  /** UFFDIO_REGISTER_MODE. */
  readonly mode: number
  /** The zero page is mapped: a fault has been answered (UFFDIO_ZEROPAGE). */
  readonly zero: readonly AddressRange[]
  /** A write is told (UFFDIO_WRITEPROTECT), pages that are not there included. */
  readonly protected: readonly AddressRange[]
  /** Whoever touches it gets SIGBUS (UFFDIO_POISON). */
  readonly poisoned: readonly AddressRange[]
  /** In the page table, not only in the page cache: no minor fault. */
  readonly present: readonly AddressRange[]
  /** Nothing is there, as far as the page table knows. */
  readonly absent: readonly AddressRange[]
  /** Marks in the page table that look like swapped pages, but have no content. */
  readonly markers: readonly AddressRange[]
}

/** Letters of VmFlags (man 5 proc_pid_smaps) and the modes that they stand for. */
const MODES = [
  ['um', UFFDIO_REGISTER_MODE.MISSING],
  ['uw', UFFDIO_REGISTER_MODE.WP],
  ['ui', UFFDIO_REGISTER_MODE.MINOR],
] as const

export const isRegistered = ({ vmFlags }: SmapsMapping): boolean =>
  MODES.some(([flag]) => vmFlags.has(flag))

const known = new WeakMap<DumpTask, readonly RegisteredMapping[]>()

/** All of a task; most tasks have none. */
export function registeredMappings(task: DumpTask): readonly RegisteredMapping[] {
  const before = known.get(task)
  if (before) return before
  const mappings = task.maps.filter(isRegistered)
  const found = mappings.length === 0 ? [] : lookAtAll(task, mappings)
  known.set(task, found)
  return found
}

function lookAtAll(task: DumpTask, mappings: readonly SmapsMapping[]): RegisteredMapping[] {
  using pagemap = owned(open(`${task.proc}/pagemap`, O.RDONLY))
  return mappings.map((mapping) => lookAt(mapping, pagemap.fd))
}

function lookAt(mapping: SmapsMapping, pagemap: LocalFd): RegisteredMapping {
  const modes = MODES.filter(([flag]) => mapping.vmFlags.has(flag))
  const mode = modes.reduce((bits, [, bit]) => bits | bit, 0)
  const [start, end] = [Number(mapping.start), Number(mapping.end)]
  const regions = scanRegions(pagemap, start, end)
  const having = (bits: number) => regions.filter(({ is }) => is & bits)
  const [there, elsewhere] = [having(PAGE_IS.PRESENT | PAGE_IS.GUARD), having(PAGE_IS.SWAPPED)]
  const marks = elsewhere
    .filter(({ is }) => !(is & (PAGE_IS.PRESENT | PAGE_IS.GUARD)))
    .flatMap((region) => pagesOf(pagemap, region))
  const isMark = ({ type }: SwappedPage) => type === PTE_MARKER
  const isProtecting = mode & UFFDIO_REGISTER_MODE.WP
  return {
    mapping,
    mode,
    zero: merge(having(PAGE_IS.PFNZERO)),
    protected: isProtecting ? merge(regions.filter(({ is }) => !(is & PAGE_IS.WRITTEN))) : [],
    poisoned: merge(marks.filter((page) => isMark(page) && page.offset & MARKER_POISONED)),
    present: merge(having(PAGE_IS.PRESENT)),
    absent: gaps(merge([...there, ...marks.filter((page) => !isMark(page))]), start, end),
    markers: merge(marks.filter(isMark)),
  }
}

interface Region extends AddressRange {
  /** PAGE_IS. */
  readonly is: number
}

const REGIONS = 4096
const ANYTHING = PAGE_IS.PRESENT | PAGE_IS.SWAPPED
const ASKED = ANYTHING | PAGE_IS.PFNZERO | PAGE_IS.WRITTEN | PAGE_IS.GUARD

/** All pages of a range that its page table knows of (PAGEMAP_SCAN). */
function scanRegions(pagemap: LocalFd, start: number, end: number): Region[] {
  const found: Region[] = []
  for (let at = start; at < end; ) {
    using s = scratch()
    const vec = s.takeDirty(REGIONS * pageRegion.size)
    const arg = s.put(
      pmScanArg.encode({
        size: BigInt(pmScanArg.size),
        start: BigInt(at),
        end: BigInt(end),
        vec: vec.address,
        vec_len: BigInt(REGIONS),
        category_anyof_mask: BigInt(ANYTHING),
        return_mask: BigInt(ASKED),
      }),
    )
    const count = checked(sys('ioctl', pagemap, PAGEMAP.SCAN, arg.address), 'PAGEMAP_SCAN')
    for (let i = 0; i < count; i++) {
      const region = pageRegion.read(vec.view, i * pageRegion.size)
      const [first, last] = [Number(region.start), Number(region.end)]
      found.push({ start: first, end: last, is: Number(region.categories) })
    }
    // Only a full vector means that more follows (see scan.ts).
    at = count < REGIONS ? end : Number(pmScanArg.read(arg.view, 0).walk_end)
  }
  return found
}

/** The last type of swap entries is none, but a mark in the page table (linux/swapops.h). */
const PTE_MARKER = 31
const MARKER_POISONED = 2

interface SwappedPage extends AddressRange {
  readonly type: number
  readonly offset: number
}

const PAGE = 4096

/** What /proc/PID/pagemap tells of swapped pages: type in bits 0 to 4, offset in 5 to 54. */
function pagesOf(pagemap: LocalFd, { start, end }: Region): SwappedPage[] {
  const words = new BigUint64Array((end - start) / PAGE)
  const bytes = new Uint8Array(words.buffer)
  readSync(pagemap, bytes, 0, bytes.length, (start / PAGE) * 8)
  return [...words].map((word, i) => ({
    start: start + i * PAGE,
    end: start + (i + 1) * PAGE,
    type: Number(word & 31n),
    offset: Number((word >> 5n) & 0xffn),
  }))
}

/** Ranges in order, neighbours as one. */
function merge(ranges: readonly AddressRange[]): AddressRange[] {
  const merged: { start: number; end: number }[] = []
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1)
    if (last?.end === start) last.end = end
    else merged.push({ start, end })
  }
  return merged
}

function gaps(ranges: readonly AddressRange[], start: number, end: number): AddressRange[] {
  const borders = [start, ...ranges.flatMap((range) => [range.start, range.end]), end]
  const found: AddressRange[] = []
  for (let i = 0; i < borders.length; i += 2)
    if (borders[i]! < borders[i + 1]!) found.push({ start: borders[i]!, end: borders[i + 1]! })
  return found
}

/** Runs of pages without those that are marks only; both in order. */
export function withoutMarkers<R extends AddressRange>(
  runs: readonly R[],
  registered: readonly RegisteredMapping[],
): R[] {
  const markers = registered.flatMap((one) => one.markers)
  if (markers.length === 0) return [...runs]
  return runs.flatMap((run) => {
    const inside = markers.filter(({ start, end }) => start < run.end && end > run.start)
    return gaps(
      inside.map((one) => clip(one, run)),
      run.start,
      run.end,
    ).map((range) => ({
      ...run,
      ...range,
    }))
  })
}

const clip = ({ start, end }: AddressRange, to: AddressRange): AddressRange => ({
  start: Math.max(start, to.start),
  end: Math.min(end, to.end),
})

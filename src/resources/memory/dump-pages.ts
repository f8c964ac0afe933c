import { type SmapsMapping, VmFlag } from '../../kernel/proc/maps.ts'
import type { Table } from '../../kernel/table.ts'
import type { TraceeFd } from '../../kernel/types.ts'
import type { PageRun } from './scan.ts'

export const PAGE_SIZE = 4096
/** One call of 1 GiB is three to ten times slower than calls of this size. */
const WRITE_SIZE = 1 << 20
const IOV_MAX = 1024
const RECORD_AND_IOVEC = 64 + 16

/** A run of pages on its way into pages-N.img. */
export interface PageSegment {
  readonly address: number
  readonly length: number
  /** Where in the file. */
  readonly offset: number
  /**
   * Who writes it: the task `self`; we through /proc/PID/`mem`, what the task cannot read (PROT_NONE);
   * or we from a `copy` taken before (the vDSO).
   */
  readonly source: 'self' | 'mem' | 'copy'
  /** A fork of the task has it as well, and nothing but the task itself can change it. */
  readonly inForks: boolean
}

/** Mappings that a fork does not have, has empty, or shares: by their VmFlags. */
const NOT_IN_FORKS: readonly string[] = [
  VmFlag.dontFork,
  VmFlag.wipeOnFork,
  VmFlag.hugetlb,
  VmFlag.io,
  VmFlag.pfnMap,
  VmFlag.mixedMap,
]

const isInForks = ({ shared, vmFlags }: SmapsMapping): boolean =>
  !shared && !NOT_IN_FORKS.some((flag) => vmFlags.has(flag))

function sourceOf(mapping: SmapsMapping): PageSegment['source'] {
  if (mapping.path === '[vdso]') return 'copy'
  return mapping.read || mapping.write ? 'self' : 'mem'
}

/** The runs that lie in mappings of the task's own, cut at their borders, with places in the file. */
export function layoutSegments(
  runs: readonly PageRun[],
  mappings: readonly SmapsMapping[],
  firstOffset = 0,
): PageSegment[] {
  const segments: PageSegment[] = []
  let offset = firstOffset
  let at = 0
  for (const mapping of mappings) {
    const start = Number(mapping.start)
    const end = Number(mapping.end)
    while (at < runs.length && runs[at]!.end <= start) at++
    for (let i = at; i < runs.length && runs[i]!.start < end; i++) {
      const run = runs[i]!
      if (run.guard) continue
      const address = Math.max(run.start, start)
      const length = Math.min(run.end, end) - address
      const inForks = isInForks(mapping)
      segments.push({ address, length, offset, source: sourceOf(mapping), inForks })
      offset += length
    }
  }
  return segments
}

/** Ranges marked by MADV_GUARD_INSTALL, cut at the borders of mappings. */
export function guardRanges(runs: readonly PageRun[], mappings: readonly SmapsMapping[]) {
  const guards: { start: number; end: number }[] = []
  for (const run of runs) {
    if (!run.guard) continue
    for (const mapping of mappings) {
      const start = Math.max(run.start, Number(mapping.start))
      const end = Math.min(run.end, Number(mapping.end))
      if (start < end) guards.push({ start, end })
    }
  }
  return guards
}

/** One pwritev of up to 1 MiB: segments that follow each other in the file. */
export interface PageWrite {
  readonly offset: number
  readonly length: number
  readonly pieces: readonly { readonly address: number; readonly length: number }[]
}

/** Groups segments into writes; a large one is cut. */
export function* groupWrites(segments: Iterable<PageSegment>): Generator<PageWrite> {
  let pieces: { address: number; length: number }[] = []
  let offset = 0
  let length = 0
  for (const segment of segments) {
    for (let done = 0; done < segment.length; ) {
      if (
        length > 0 &&
        (segment.offset + done !== offset + length || full(length, pieces.length))
      ) {
        yield { offset, length, pieces }
        pieces = []
        length = 0
      }
      if (length === 0) offset = segment.offset + done
      const size = Math.min(segment.length - done, WRITE_SIZE - length)
      pieces.push({ address: segment.address + done, length: size })
      length += size
      done += size
    }
  }
  if (length > 0) yield { offset, length, pieces }
}

const full = (length: number, pieces: number) => length === WRITE_SIZE || pieces === IOV_MAX

/** Adds writes to a table until it is full, has about `most` bytes, or they end; what was added. */
export function addWrites(
  table: Table,
  writes: Iterator<PageWrite, undefined>,
  fd: TraceeFd,
  most = Number.POSITIVE_INFINITY,
): { written: PageWrite[]; done: boolean } {
  const written: PageWrite[] = []
  let bytes = 0
  while (bytes < most && table.room > RECORD_AND_IOVEC * (IOV_MAX + 1)) {
    const next = writes.next()
    if (next.done) return { written, done: true }
    const { pieces, offset } = next.value
    if (pieces.length === 1) {
      const [piece] = pieces
      table.call('pwrite64', fd, piece!.address, piece!.length, offset)
    } else {
      const iovecs = table.space(pieces.length * 16)
      pieces.forEach((piece, i) => {
        iovecs.view.setBigUint64(i * 16, BigInt(piece.address), true)
        iovecs.view.setBigUint64(i * 16 + 8, BigInt(piece.length), true)
      })
      table.call('pwritev', fd, iovecs, pieces.length, offset, 0)
    }
    written.push(next.value)
    bytes += next.value.length
  }
  return { written, done: false }
}

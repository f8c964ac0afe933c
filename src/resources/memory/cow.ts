import { O } from '../../kernel/constants/fcntl.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, open, owned, sys } from '../../kernel/sys.ts'
import type { DumpTask } from '../dump-model.ts'
import { PAGE_SIZE, type PageSegment } from './dump-pages.ts'

/** A range of memory, bytes. */
export interface Range {
  readonly address: number
  readonly length: number
}

/** Pages looked at in one read of both pagemaps: 8 bytes each. */
const BATCH = 1 << 17
const ENTRY = 8
/**
 * What of a pagemap entry names the page (Documentation/admin-guide/mm/pagemap.rst): the frame or swap
 * slot in bits 0 to 54, swapped 62, present 63. The high word's bits 55 to 61 are flags of the mapping.
 */
const HIGH_MASK = 0xc07f_ffff
const PRESENT_OR_SWAPPED = 0xc000_0000

/** A task's pages, parted into those that it shares copy-on-write with its parent and the others. */
export interface CowSplit {
  /** Pages that are the very same in the parent: not written again. */
  readonly inherited: readonly Range[]
  readonly segments: readonly PageSegment[]
}

/**
 * Compares page frame numbers of a task and its parent, both stopped (1 GiB takes some 16 ms). Needs
 * CAP_SYS_ADMIN: without it all frames read as 0 and nothing counts as shared.
 */
export function splitCow(
  task: DumpTask,
  parent: DumpTask,
  segments: readonly PageSegment[],
): CowSplit {
  using ours = owned(open(`${task.proc}/pagemap`, O.RDONLY))
  using theirs = owned(open(`${parent.proc}/pagemap`, O.RDONLY))
  const inherited: Range[] = []
  const own: PageSegment[] = []
  let offset = 0
  const keep = (segment: PageSegment, { address, length }: Range) => {
    own.push({ ...segment, address, length, offset })
    offset += length
  }
  for (const segment of segments) {
    const { address, length } = segment
    if (segment.source === 'copy') {
      keep(segment, segment)
      continue
    }
    for (const run of compareRuns(ours.fd, theirs.fd, address, length))
      if (run.same) inherited.push({ address: run.address, length: run.length })
      else keep(segment, run)
  }
  return { inherited, segments: own }
}

interface ComparedRun extends Range {
  readonly same: boolean
}

function* compareRuns(
  ours: number,
  theirs: number,
  address: number,
  length: number,
): Generator<ComparedRun> {
  const pages = length / PAGE_SIZE
  for (let done = 0; done < pages; done += BATCH) {
    using s = scratch()
    const count = Math.min(BATCH, pages - done)
    const start = address + done * PAGE_SIZE
    const mine = readEntries(s.take(count * ENTRY), ours, start)
    const parents = readEntries(s.take(count * ENTRY), theirs, start)
    for (let from = 0; from < count; ) {
      const same = isSame(mine, parents, from)
      let to = from + 1
      while (to < count && isSame(mine, parents, to) === same) to++
      yield { address: start + from * PAGE_SIZE, length: (to - from) * PAGE_SIZE, same }
      from = to
    }
  }
}

function readEntries(
  memory: { address: bigint; bytes: Uint8Array },
  fd: number,
  start: number,
): Uint32Array {
  const { bytes } = memory
  const at = (start / PAGE_SIZE) * ENTRY
  checked(sys('pread64', fd, memory.address, bytes.length, at), 'read of a pagemap')
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}

function isSame(mine: Uint32Array, parents: Uint32Array, page: number): boolean {
  const low = mine[page * 2]!
  const high = mine[page * 2 + 1]! & HIGH_MASK
  if (low !== parents[page * 2] || high !== (parents[page * 2 + 1]! & HIGH_MASK)) return false
  if ((high & PRESENT_OR_SWAPPED) === 0) return false
  return low !== 0 || (high & ~PRESENT_OR_SWAPPED) !== 0
}

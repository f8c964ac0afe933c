import { fail } from '../../errors/error.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { SHM } from '../../kernel/constants/ipc.ts'
import { MREMAP, PROT } from '../../kernel/constants/mman.ts'
import type { Table } from '../../kernel/table.ts'
import { traceeAddr } from '../../kernel/types.ts'
import { findHole } from '../../tracee/hole.ts'
import type { Runner } from '../../tracee/run.ts'
import type { RestoreContext, RestoreTask } from '../restore-model.ts'
import { hugeSizeOf } from './huge.ts'
import type { MappingToMake } from './restore-map.ts'
import type { TableStep } from './restore-steps.ts'
import { inTables } from './restore-steps.ts'
import { VMA } from './vma-bits.ts'

type Vma = MappingToMake['vma']

/** Mappings that one shmat(2) made: parts of it may have been unmapped or moved since. */
interface Attachment {
  readonly shmid: number
  /** Where the segment's first byte is, or would be. */
  readonly base: bigint
  /** Bytes of the whole segment, in whole pages of its own. */
  readonly size: bigint
  readonly align: bigint
  readonly readOnly: boolean
  readonly vmas: Vma[]
}

export const isSysv = ({ vma }: MappingToMake): boolean => (vma.status & VMA.sysvIpc) !== 0

interface AddressRange {
  readonly start: bigint
  readonly end: bigint
}

/**
 * Attaches segments of System V shared memory, which is more than to map their files: the kernel counts
 * it. What is whole is attached where it belongs; of the others the parts are moved there from a place
 * that is free. `taken`: addresses in use now, besides those of the task's final mappings.
 */
export function* attachSegments(
  runner: Runner,
  task: RestoreTask,
  mappings: readonly MappingToMake[],
  taken: readonly AddressRange[],
  restore: RestoreContext,
): Generator<TableStep> {
  const attachments = findAttachments(task, mappings, restore)
  const partial = attachments.filter((one) => !isWhole(one))
  const most = partial.reduce(
    (size, one) => (one.size + one.align > size ? one.size + one.align : size),
    0n,
  )
  const hole = most > 0n ? holeFor(task, taken, Number(most)) : 0n
  const what = 'attach System V shared memory'
  // The partial ones first: their place must not be taken by what is attached for good.
  yield* inTables(runner, what, partial, (table, one) => attachParts(table, one, hole))
  const whole = attachments.filter(isWhole)
  yield* inTables(runner, what, whole, (table, one) => {
    addShmat(table, one, one.base)
    keepPartsApart(table, one)
  })
}

const addShmat = (table: Table, { shmid, readOnly }: Attachment, at: bigint): void => {
  table.call('shmat', shmid, at, readOnly ? SHM.RDONLY : 0)
}

function attachParts(table: Table, one: Attachment, hole: bigint): void {
  const at = ((hole + one.align - 1n) / one.align) * one.align
  addShmat(table, one, at)
  let done = 0n
  for (const { start, end, pgoff } of [...one.vmas].sort((a, b) => (a.pgoff < b.pgoff ? -1 : 1))) {
    if (pgoff > done) table.call('munmap', at + done, pgoff - done)
    const size = end - start
    table.call('mremap', at + pgoff, size, size, MREMAP.MAYMOVE | MREMAP.FIXED, start)
    done = pgoff + size
  }
  if (done < one.size) table.call('munmap', at + done, one.size - done)
}

/** Neighbours that are alike by now were two once: each counts as attached. */
function keepPartsApart(table: Table, { vmas }: Attachment): void {
  for (const [i, { start, end }] of vmas.entries())
    if (i % 2 === 1) table.call('mprotect', start, end - start, PROT.NONE)
}

function isWhole({ base, size, vmas }: Attachment): boolean {
  let at = base
  for (const { start, end } of vmas) {
    if (start !== at) return false
    at = end
  }
  return at === base + size
}

function findAttachments(
  task: RestoreTask,
  mappings: readonly MappingToMake[],
  restore: RestoreContext,
): Attachment[] {
  const sysv = mappings.filter(isSysv)
  if (sysv.length === 0) return []
  const segmentOf = readSegments(task, restore)
  const found = new Map<string, Attachment>()
  const last = new Map<string, bigint>()
  for (const { vma } of sysv) {
    const base = vma.start - vma.pgoff
    const readOnly = isReadOnly(vma)
    // One that begins before the end of the last was attached apart: only moved parts can be so.
    const key = `${vma.shmid} ${base} ${readOnly}`
    const known = found.get(key)
    if (known && vma.pgoff >= last.get(key)!) known.vmas.push(vma)
    else found.set(key, { ...segmentOf(vma), base, readOnly, vmas: [vma] })
    last.set(key, vma.pgoff + (vma.end - vma.start))
  }
  return [...found.values()]
}

/** Images of upstream do not say it: there it is read from what is allowed. */
const isReadOnly = ({ fdflags, prot }: Vma): boolean =>
  fdflags === undefined ? (prot & PROT.WRITE) === 0 : (fdflags & O.ACCMODE) === O.RDONLY

/** Size and pages of each segment of the images. */
function readSegments(task: RestoreTask, { images }: RestoreContext) {
  const id = task.ids.ipc_ns_id ?? 0
  const entries = images.tryReadAll('ipcns-shm', id) ?? []
  const byId = new Map(entries.map((entry) => [BigInt(entry.desc.id), entry]))
  return ({ shmid }: Vma) => {
    const entry = byId.get(shmid)
    if (!entry) {
      const reason = `segment ${shmid} of System V shared memory is in no image`
      return fail({ code: 'image', file: images.pathOf('ipcns-shm', id), reason })
    }
    const { size: bytes, hugetlb_flag: huge } = entry
    const align = huge ? BigInt(hugeSizeOf(huge)) : 4096n
    const size = ((bytes + align - 1n) / align) * align
    return { shmid: Number(shmid), size, align }
  }
}

function holeFor(task: RestoreTask, taken: readonly AddressRange[], size: number): bigint {
  const ranges = [...(task.mm?.vmas ?? []), ...taken]
    .map(({ start, end }) => ({ start: traceeAddr(start), end: traceeAddr(end) }))
    .sort((a, b) => (a.start < b.start ? -1 : 1))
  return findHole(ranges, size)
}

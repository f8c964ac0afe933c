import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { MAP, PROT } from '../../kernel/constants/mman.ts'
import { readMaps } from '../../kernel/proc/maps.ts'
import type { Table } from '../../kernel/table.ts'
import { fileId, type LocalFd } from '../../kernel/types.ts'
import type { Runner } from '../../tracee/run.ts'
import type { RestoreContext, RestoreTask } from '../restore-model.ts'
import { addFinish } from './restore-finish.ts'
import { inTables, type TableStep } from './restore-steps.ts'
import { VMA } from './vma-bits.ts'

type Vma = Messages['vma_entry']

interface Gap {
  readonly start: bigint
  readonly length: bigint
}

/** vm.mmap_min_addr, below which the kernel looks for nothing, is no larger. */
const LOWEST = 0x10000n
const HIGHEST = 0x7ffffffff000n

/**
 * Mappings of io_urings, which take no address: neither mmap nor mremap may say where (io_uring/memmap.c,
 * io_uring_get_unmapped_area). So there is but one hole where each of them can be: all others are filled
 * until it is there.
 */
export function* placeUring(
  leader: Runner,
  task: RestoreTask,
  restore: RestoreContext,
): Generator<TableStep> {
  const vmas = (task.mm?.vmas ?? []).filter(({ status }) => status & VMA.uring)
  if (vmas.length === 0) return
  const gaps = gapsOf(leader.pid, vmas)
  const none = MAP.PRIVATE | MAP.ANONYMOUS | MAP.NORESERVE | MAP.FIXED_NOREPLACE
  yield* inTables(leader, 'fill what is free', gaps, (table, { start, length }) =>
    table.call('mmap', start, length, PROT.NONE, none, -1, 0),
  )
  for (const vma of vmas) yield* place(leader, vma, ringOf(vma, restore))
  const made = (vma: Vma) =>
    ({ vma, fd: -1, writeFirst: false, apart: false, empty: true, touch: false }) as const
  yield* inTables(leader, 'free what was filled', freed(gaps, vmas), (table, { start, length }) =>
    table.call('munmap', start, length),
  )
  yield* inTables(leader, 'advise on mappings of an io_uring', vmas, (table, vma) =>
    addFinish(table, made(vma)),
  )
}

function* place(leader: Runner, { start, end, prot, pgoff }: Vma, fd: LocalFd) {
  const table: Table = leader.table()
  table.call('munmap', start, end - start)
  const result = table.call('mmap', 0, end - start, prot, MAP.SHARED, fd, pgoff)
  const check = (): void => {
    if (result.value !== start)
      fail({
        code: 'conflict',
        pid: leader.pid,
        reason: `an io_uring was mapped at ${result.value?.toString(16)}, not at ${start.toString(16)}`,
      })
  }
  yield { table, what: 'map an io_uring', check }
}

/** What is free, cut at the borders of what is wanted. */
function gapsOf(pid: number, wanted: readonly Vma[]): Gap[] {
  const taken = readMaps(`/proc/${pid}`)
  const gaps: Gap[] = []
  let at = LOWEST
  for (const { start, end } of taken) {
    if (start > HIGHEST) break
    if (start > at) gaps.push({ start: at, length: start - at })
    if (end > at) at = end
  }
  if (at < HIGHEST) gaps.push({ start: at, length: HIGHEST - at })
  for (const { start, end } of wanted)
    if (!gaps.some((gap) => gap.start <= start && end <= gap.start + gap.length))
      fail({ code: 'internal', reason: `no room for an io_uring at ${start.toString(16)}` })
  return gaps
}

/** The gaps without what is there now. */
function freed(gaps: readonly Gap[], vmas: readonly Vma[]): Gap[] {
  const sorted = [...vmas].sort((a, b) => (a.start < b.start ? -1 : 1))
  return gaps.flatMap(({ start, length }) => {
    const rest: Gap[] = []
    let at = start
    for (const vma of sorted) {
      if (vma.start < at || vma.start >= start + length) continue
      if (vma.start > at) rest.push({ start: at, length: vma.start - at })
      at = vma.end
    }
    if (at < start + length) rest.push({ start: at, length: start + length - at })
    return rest
  })
}

const rings = new WeakMap<RestoreContext, ReadonlyMap<bigint, number>>()

/** The ring of a mapping, by the inode that it had. */
function ringOf({ shmid }: Vma, restore: RestoreContext): LocalFd {
  const known =
    rings.get(restore) ??
    new Map(restore.images.readAll('criu-ts-uring').map(({ inode, id }) => [inode, id]))
  rings.set(restore, known)
  const id = known.get(shmid)
  const file = restore.images.pathOf('criu-ts-uring')
  if (id === undefined)
    return fail({ code: 'image', file, reason: `no io_uring with inode ${shmid}` })
  return restore.files.description(fileId(id))
}

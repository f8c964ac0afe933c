import type { Progress } from '../../job/progress.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { PROT } from '../../kernel/constants/mman.ts'
import { fileId, type LocalFd, type NsPid } from '../../kernel/types.ts'
import type { StubArena } from '../../tracee/stub-arena.ts'
import type { StubThread } from '../../tracee/stub-thread.ts'
import type { RestoreContext, RestoreTask } from '../restore-model.ts'
import { isCompatRestore } from '../task-abi.ts'
import { checkHugePages } from './huge.ts'
import { pluginMapping } from './plugin-vma.ts'
import { placeAio, planAio, withoutAio } from './restore-aio.ts'
import { readContent, readContentBeside } from './restore-content.ts'
import { ownAfterClones } from './restore-difference.ts'
import {
  addEarlyAdvice,
  addExtras,
  addFinish,
  addForeignVdso,
  addGuard,
  addMmMap,
  addTouch,
} from './restore-finish.ts'
import {
  addAccess,
  addDrop,
  addGrowth,
  asInherited,
  contentToCome,
  planInheritances,
} from './restore-inherit.ts'
import {
  addMmap,
  joinHuge,
  keepApart,
  mappingToMake,
  ownVmas,
  type SharedFds,
} from './restore-map.ts'
import { PageRuns, readPageRuns } from './restore-pages.ts'
import type { KeptMapping, MemoryPlan } from './restore-plan.ts'
import { makeSharedMemory, sharedPieces } from './restore-shared.ts'
import { inTables, type TableStep } from './restore-steps.ts'
import { attachSegments, isSysv } from './restore-sysv.ts'
import { placeUring } from './restore-uring.ts'
import {
  type KernelMappings,
  kernelVmas,
  moveKernelMappings,
  patchVdso,
  planVdso,
  type VdsoPlan,
} from './restore-vdso.ts'
import { VMA } from './vma-bits.ts'

/** Lowest and highest address that a task can map. */
const LOWEST = 0n
const HIGHEST = 0x7ffffffff000n
/** The same of a program of 32 bits (IA32_PAGE_OFFSET, asm/page_64_types.h). */
const HIGHEST_COMPAT = 0xffffe000n
const PAGE_SIZE = 4096

/**
 * Opens all files and makes all shared memory; before a task exists, so that all inherit them.
 * `clonedBy`: the parents that tasks are cloned from, by pid.
 */
export function openMemory(
  restore: RestoreContext,
  clonedBy: ReadonlyMap<NsPid, NsPid>,
  keep: (fd: LocalFd) => LocalFd,
): Map<NsPid, MemoryPlan> {
  checkHugePages(restore)
  const shared = new Map<bigint, LocalFd>()
  for (const [id, piece] of sharedPieces(restore))
    shared.set(id, keep(makeSharedMemory(id, piece, restore)))
  const plans = new Map<NsPid, MemoryPlan>()
  for (const task of restore.model.tasks)
    if (task.mm) plans.set(task.nsPid, planMemory(task, shared, restore, keep))
  planInheritances(plans, clonedBy, restore.stats)
  for (const plan of plans.values()) restore.progress.expect(contentOf(plan).total)
  return plans
}

/** What a task reads before others are cloned from it. */
const contentOf = ({ inheritance, initial }: MemoryPlan): PageRuns =>
  inheritance?.difference.read ?? initial

function planMemory(
  task: RestoreTask,
  shared: SharedFds,
  restore: RestoreContext,
  keep: (fd: LocalFd) => LocalFd,
): MemoryPlan {
  const all = withoutKernel(task, readPageRuns(restore.images, 'pagemap', task.nsPid, keep))
  const runs = { ...all, own: withoutAio(task, all.own) }
  restore.files.reopen(fileId(task.mm!.exe_file_id), O.RDONLY)
  const mappings = ownVmas(task).map((vma) =>
    vma.status & VMA.plugin
      ? pluginMapping(task.nsPid, vma, restore, keep)
      : mappingToMake(vma, runs.own, shared, restore),
  )
  return {
    task,
    runs: runs.own,
    vdso: runs.kernels,
    initial: runs.own,
    mappings: keepApart(mappings),
    aio: planAio(task, all.own, keep),
    inheritance: undefined,
  }
}

/** What a task's memory is made in. */
export interface MemoryTarget {
  readonly leader: StubThread
  readonly arena: StubArena
  readonly kernel: KernelMappings
  /** Where the kernel's mappings are in this task now. */
  readonly kernelAt: bigint
  readonly vdso: VdsoPlan
  /** A second thread for reading, which ends with the scope; undefined with one CPU alone. */
  readonly hireWorker: (() => { readonly stub: StubThread } & Disposable) | undefined
}

export function planKernelMappings(
  { task, vdso }: MemoryPlan,
  kernel: KernelMappings,
  arena: StubArena,
): VdsoPlan {
  return planVdso(task, vdso, kernel, { start: arena.address, end: arena.end })
}

/**
 * Turns the memory that the task begins with (the stub's, or its parent's) into its own, as far as its
 * children are to have it: a series of tables, to be run in its leader one after the other. The arena
 * stays, and is where the kernel's own mappings wait meanwhile.
 */
export function* placeContent(
  plan: MemoryPlan,
  target: MemoryTarget,
  restore: RestoreContext,
): Generator<TableStep> {
  const { stats, progress } = restore
  const { leader, arena, vdso } = target
  const kept = plan.inheritance?.kept ?? []
  const fresh = plan.mappings.filter((mapping) => !kept.some((one) => one.mapping === mapping))
  const difference = plan.inheritance?.difference
  const read = contentOf(plan)
  yield* clear(target, kept, isCompatRestore(plan.task) ? HIGHEST_COMPAT : HIGHEST)
  yield* inTables(leader, 'grow its mappings', kept, addGrowth)
  const content = contentToCome(plan)
  yield* inTables(leader, 'open its mappings', kept, (table, one) => addAccess(table, one, content))
  yield* attachSegments(
    leader,
    plan.task,
    fresh,
    [{ start: arena.address, end: arena.end }],
    restore,
  )
  const mapped = joinHuge(fresh.filter((mapping) => !isSysv(mapping)))
  yield* inTables(leader, 'make its mappings', mapped, addMmap)
  yield* inTables(leader, 'advise on its mappings', fresh, addEarlyAdvice)
  const touched = fresh.filter(({ touch }) => touch)
  yield* inTables(leader, 'keep its mappings apart', touched, addTouch)
  yield* inTables(leader, 'drop what its parent had', difference?.drop ?? [], addDrop)
  yield* readPages(target, read, progress)
  if (vdso.kind === 'patch') yield* placeForeignVdso(plan, leader, vdso)
  stats.count('pagesRestored', Math.floor(read.total / PAGE_SIZE))
  stats.count('pagesSkippedCow', Math.floor((difference?.same ?? 0) / PAGE_SIZE))
}

/** From so many bytes on a second thread is worth the making. */
const WORKER_FROM = 32 << 20

function* readPages(
  { leader, hireWorker }: MemoryTarget,
  runs: PageRuns,
  progress: Progress,
): Generator<TableStep> {
  if (runs.total < WORKER_FROM || hireWorker === undefined) {
    yield* readContent(leader, runs, progress)
    return
  }
  using worker = hireWorker()
  yield* readContentBeside(leader, worker.stub, runs, progress)
}

/** Once its children are cloned: what it changed after that, protections, and the rest. */
export function* finishMemory(
  plan: MemoryPlan,
  { leader }: MemoryTarget,
  restore: RestoreContext,
): Generator<TableStep> {
  const { task, mappings, inheritance } = plan
  const kept = new Map(inheritance?.kept.map((one) => [one.mapping, one]))
  yield* readContent(leader, ownAfterClones(plan.runs, plan.initial))
  yield* inTables(leader, 'protect its mappings', mappings, (table, mapping) => {
    const one = kept.get(mapping)
    addFinish(table, one ? asInherited(one) : mapping)
  })
  const guards = task.mm!.vmas.filter(({ status }) => status & VMA.guard)
  yield* inTables(leader, 'place guards', guards, addGuard)
  if (plan.aio) yield* placeAio(leader, plan.aio)
  yield* placeUring(leader, task, restore)
  const table = leader.table()
  const vmas = mappings.map(({ vma }) => vma)
  addExtras(table, task, vmas, restore)
  addMmMap(table, task, restore)
  yield { table, what: 'name the parts of its memory' }
}

/** Everything goes but the arena and what is kept; the kernel's mappings go where they belong. */
function* clear(
  { leader, arena, kernel, kernelAt, vdso }: MemoryTarget,
  kept: readonly KeptMapping[],
  highest: bigint,
): Generator<TableStep> {
  const table = leader.table()
  if (vdso.kind !== 'none') {
    moveKernelMappings(table, kernel, kernelAt, arena.park)
    yield { table, what: 'put the vDSO aside' }
  }
  const stays = kept.map(({ mapping, end }) => ({ start: mapping.vma.start, end }))
  stays.push({ start: arena.address, end: vdso.kind === 'none' ? arena.park : arena.end })
  stays.sort((a, b) => (a.start < b.start ? -1 : 1))
  yield* inTables(leader, 'clear its memory', gaps(stays, highest), (calls, { start, end }) =>
    calls.call('munmap', start, end - start),
  )
  if (vdso.kind === 'none') return
  const last = leader.table()
  moveKernelMappings(last, kernel, arena.park, vdso.to)
  yield { table: last, what: 'put the vDSO in place' }
}

interface AddressRange {
  readonly start: bigint
  readonly end: bigint
}

function* gaps(ranges: readonly AddressRange[], highest: bigint): Generator<AddressRange> {
  let at = LOWEST
  for (const { start, end } of ranges) {
    if (start > at) yield { start: at, end: start }
    at = end
  }
  if (at < highest) yield { start: at, end: highest }
}

/** The image's vDSO of another kernel: ordinary memory, led on to the present one. */
function* placeForeignVdso(
  plan: MemoryPlan,
  leader: StubThread,
  vdso: Extract<VdsoPlan, { kind: 'patch' }>,
): Generator<TableStep> {
  const table = leader.table()
  addForeignVdso(table, kernelVmas(plan.task))
  yield { table, what: 'make room for the old vDSO' }
  yield* readContent(leader, plan.vdso)
  patchVdso(leader.pid, vdso.patches)
  const { start, end } = vdso.vdso
  const protect = leader.table()
  protect.call('mprotect', start, end - start, PROT.READ | PROT.EXEC)
  yield { table: protect, what: 'protect the old vDSO' }
}

/** Pages of the kernel's own mappings (an image has those of the vDSO), and all others. */
function withoutKernel(task: RestoreTask, runs: PageRuns): { own: PageRuns; kernels: PageRuns } {
  let own = runs
  let kernels = new PageRuns()
  for (const { start, end } of kernelVmas(task)) {
    const [from, to] = [Number(start), Number(end)]
    if (!own.touches(from, to)) continue
    kernels = runs.without(0, from).without(to, Number(HIGHEST))
    own = own.without(from, to)
  }
  return { own, kernels }
}

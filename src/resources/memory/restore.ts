import { O } from '../../kernel/constants/fcntl.ts'
import { PROT } from '../../kernel/constants/mman.ts'
import { fileId, type LocalFd } from '../../kernel/types.ts'
import type { StubArena } from '../../tracee/stub-arena.ts'
import type { StubThread } from '../../tracee/stub-thread.ts'
import type { RestoreContext, RestoreTask } from '../restore-model.ts'
import { readContent } from './restore-content.ts'
import {
  addEarlyAdvice,
  addExtras,
  addFinish,
  addForeignVdso,
  addGuard,
  addMmMap,
} from './restore-finish.ts'
import {
  addMmap,
  keepApart,
  type MappingToMake,
  mappingToMake,
  ownVmas,
  type SharedFds,
} from './restore-map.ts'
import { type PageRuns, readPageRuns } from './restore-pages.ts'
import { makeSharedMemory, sharedSizes } from './restore-shared.ts'
import { inTables, type TableStep } from './restore-steps.ts'
import {
  type KernelMappings,
  kernelVmas,
  moveKernelMappings,
  patchVdso,
  planVdso,
  type VdsoPlan,
} from './restore-vdso.ts'
import { VMA } from './vma-bits.ts'

/** A task's memory as it will be; all files that it needs are open. */
export interface MemoryPlan {
  readonly task: RestoreTask
  readonly runs: PageRuns
  readonly mappings: readonly MappingToMake[]
}

/** Lowest and highest address that a task can map. */
const LOWEST = 0n
const HIGHEST = 0x7ffffffff000n
const PAGE_SIZE = 4096

/** Opens all files and makes all shared memory; before a task exists, so that all inherit them. */
export function openMemory(
  restore: RestoreContext,
  keep: (fd: LocalFd) => LocalFd,
): Map<RestoreTask, MemoryPlan> {
  const shared = new Map<bigint, LocalFd>()
  for (const [id, size] of sharedSizes(restore))
    shared.set(id, keep(makeSharedMemory(id, size, restore)))
  const plans = new Map<RestoreTask, MemoryPlan>()
  for (const task of restore.model.tasks)
    if (task.mm) plans.set(task, planMemory(task, shared, restore, keep))
  return plans
}

function planMemory(
  task: RestoreTask,
  shared: SharedFds,
  restore: RestoreContext,
  keep: (fd: LocalFd) => LocalFd,
): MemoryPlan {
  const runs = readPageRuns(restore.images, 'pagemap', task.nsPid, keep)
  restore.files.reopen(fileId(task.mm!.exe_file_id), O.RDONLY)
  const mappings = ownVmas(task).map((vma) => mappingToMake(vma, runs, shared, restore))
  return { task, runs, mappings: keepApart(mappings) }
}

/**
 * Turns the stub's memory into the task's: a series of tables, to be run in its leader one after the
 * other. The arena stays, and is where the kernel's own mappings wait meanwhile.
 */
export function* placeMemory(
  plan: MemoryPlan,
  leader: StubThread,
  arena: StubArena,
  kernel: KernelMappings,
  restore: RestoreContext,
): Generator<TableStep> {
  const { task, runs, mappings } = plan
  const avoid = { start: arena.address, end: arena.end }
  const vdso = planVdso(task, runs, kernel, avoid)
  yield clear(leader, arena, kernel, vdso)
  yield* inTables(leader, 'make its mappings', mappings, addMmap)
  yield* inTables(leader, 'advise on its mappings', mappings, addEarlyAdvice)
  yield* content(plan, leader, vdso)
  restore.stats.count('pagesRestored', Math.floor(runs.total / PAGE_SIZE))
  yield* inTables(leader, 'protect its mappings', mappings, addFinish)
  const guards = task.mm!.vmas.filter(({ status }) => status & VMA.guard)
  yield* inTables(leader, 'place guards', guards, addGuard)
  const table = leader.table()
  const vmas = mappings.map(({ vma }) => vma)
  addExtras(table, task, vmas, restore)
  addMmMap(table, task, restore)
  yield { table, what: 'name the parts of its memory' }
}

/** Everything goes but the arena; the kernel's mappings wait behind it, and go where they belong. */
function clear(
  leader: StubThread,
  arena: StubArena,
  kernel: KernelMappings,
  vdso: VdsoPlan,
): TableStep {
  const table = leader.table()
  if (vdso.kind !== 'none') moveKernelMappings(table, kernel, kernel.start, arena.park)
  const kept = vdso.kind === 'none' ? arena.park : arena.end
  table.call('munmap', LOWEST, arena.address - LOWEST)
  table.call('munmap', kept, HIGHEST - kept)
  if (vdso.kind !== 'none') moveKernelMappings(table, kernel, arena.park, vdso.to)
  return { table, what: 'clear its memory' }
}

/** All pages of the images but those of the vDSO, which are the kernel's (or patched afterwards). */
function* content(
  { task, runs }: MemoryPlan,
  leader: StubThread,
  vdso: VdsoPlan,
): Generator<TableStep> {
  if (vdso.kind !== 'patch') {
    let own = runs
    for (const { start, end } of kernelVmas(task))
      if (own.touches(Number(start), Number(end))) own = own.without(Number(start), Number(end))
    yield* readContent(leader, own)
    return
  }
  const table = leader.table()
  addForeignVdso(table, kernelVmas(task))
  yield { table, what: 'make room for the old vDSO' }
  yield* readContent(leader, runs)
  patchVdso(leader.pid, vdso.patches)
  const { start, end } = vdso.vdso
  const protect = leader.table()
  protect.call('mprotect', start, end - start, PROT.READ | PROT.EXEC)
  yield { table: protect, what: 'protect the old vDSO' }
}

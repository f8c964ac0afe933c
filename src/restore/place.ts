import { missingComponents, XSTATE_MAX } from '../arch/x86_64/xstate.ts'
import { fail } from '../errors/error.ts'
import { getRegset, NT_X86_XSTATE } from '../kernel/ptrace.ts'
import { taskAspects } from '../resources/registry.ts'
import { placeDescriptors, placeDirectories } from './descriptors.ts'
import { fitting } from './fitting.ts'
import type { LiveTask, RestoreRun } from './state.ts'
import type { TreeMemory } from './tree-memory.ts'

/**
 * Everything of a process that needs no other one: memory (all tasks at the same time), then
 * directories and descriptors, which memory was mapped from, then the process-wide aspects.
 */
export function placeTasks(run: RestoreRun, memory: TreeMemory): void {
  checkCpu(run)
  memory.place()
  // All directories first: a task may share the descriptor table that another one cleans up.
  for (const live of run.live.values()) placeDirectories(live, run)
  for (const live of run.live.values()) {
    run.progress.advance()
    placeDescriptors(live, run)
  }
  for (const live of run.live.values()) placeAspects(live, run)
}

/** The kernel refuses to load a state that the CPU does not have: said before anything is placed. */
function checkCpu({ live, options }: RestoreRun): void {
  if (!options.cpuCap.fpu) return
  for (const { task, threads } of live.values()) {
    const current = getRegset(threads[0]!.pid, NT_X86_XSTATE, XSTATE_MAX)
    for (const { nsTid, core } of task.threads) {
      const missing = missingComponents(core.thread_info!.fpregs, current)
      if (missing.length > 0)
        fail({
          code: 'conflict',
          pid: nsTid,
          reason: `thread ${nsTid} uses ${missing.join(', ')}, which this CPU does not have`,
          remedy: 'restore on a machine with these features',
        })
    }
  }
}

function placeAspects({ task, threads }: LiveTask, run: RestoreRun): void {
  for (const aspect of taskAspects) {
    if (!aspect.placeProcess) continue
    const table = threads[0]!.table()
    const file = run.images.pathOf('core', task.nsPid)
    fitting(file, aspect.name, () => aspect.placeProcess!(task, table, run))
    if (table.count > 0) threads[0]!.run(table, `restore its ${aspect.name}`)
  }
}

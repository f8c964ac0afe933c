import { missingComponents, XSTATE_MAX } from '../arch/x86_64/xstate.ts'
import { fail } from '../errors/error.ts'
import { getRegset, NT_X86_XSTATE } from '../kernel/ptrace.ts'
import { type MemoryPlan, placeMemory } from '../resources/memory/restore.ts'
import type { TableStep } from '../resources/memory/restore-steps.ts'
import { readKernelMappings } from '../resources/memory/restore-vdso.ts'
import { taskAspects } from '../resources/registry.ts'
import type { RestoreTask } from '../resources/restore-model.ts'
import type { StubThread } from '../tracee/stub-thread.ts'
import { placeDescriptors, placeDirectories } from './descriptors.ts'
import { type LiveTask, owns, type RestoreRun } from './state.ts'

/**
 * Everything of a process that needs no other one: memory (all tasks at the same time), then
 * directories and descriptors, which memory was mapped from, then the process-wide aspects.
 */
export function placeTasks(run: RestoreRun, memory: ReadonlyMap<RestoreTask, MemoryPlan>): void {
  checkCpu(run)
  placeMemories(run, memory)
  // All directories first: a task may share the descriptor table that another one cleans up.
  for (const live of run.live.values()) placeDirectories(live, run)
  for (const live of run.live.values()) placeDescriptors(live, run)
  for (const live of run.live.values()) placeAspects(live, run)
}

/** The kernel refuses to load a state that the CPU does not have: said before anything is placed. */
function checkCpu({ live }: RestoreRun): void {
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

function placeMemories(run: RestoreRun, memory: ReadonlyMap<RestoreTask, MemoryPlan>): void {
  const tasks = [...run.live.values()].filter((live) => owns(live, 'vm'))
  const kernel = readKernelMappings(tasks[0]!.threads[0]!.pid)
  runSideBySide(
    tasks.map(({ task, threads }) => {
      const leader = threads[0]!
      const steps = placeMemory(memory.get(task)!, leader, run.arena, kernel, run)
      return { leader, steps }
    }),
  )
}

interface Stream {
  readonly leader: StubThread
  readonly steps: Iterator<TableStep>
}

/** Runs a series of tables in each of several tasks, which do not wait for each other. */
export function runSideBySide(streams: readonly Stream[]): void {
  let running = streams.flatMap((stream) => begin(stream))
  while (running.length > 0)
    running = running.flatMap(({ stream, step }) => {
      stream.leader.finish(step.table, step.what)
      step.check?.()
      return begin(stream)
    })
}

function begin(stream: Stream): { stream: Stream; step: TableStep }[] {
  const next = stream.steps.next()
  if (next.done) return []
  stream.leader.start(next.value.table)
  return [{ stream, step: next.value }]
}

function placeAspects({ task, threads }: LiveTask, run: RestoreRun): void {
  for (const aspect of taskAspects) {
    if (!aspect.placeProcess) continue
    const table = threads[0]!.table()
    aspect.placeProcess(task, table, run)
    if (table.count > 0) threads[0]!.run(table, `restore its ${aspect.name}`)
  }
}

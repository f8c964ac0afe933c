import { fail } from '../errors/error.ts'
import type { HostPid, NsPid } from '../kernel/types.ts'
import {
  finishMemory,
  type MemoryTarget,
  placeContent,
  planKernelMappings,
} from '../resources/memory/restore.ts'
import type { MemoryPlan } from '../resources/memory/restore-plan.ts'
import { finishStep, startStep, type TableStep } from '../resources/memory/restore-steps.ts'
import { type KernelMappings, readKernelMappings } from '../resources/memory/restore-vdso.ts'
import { countCpus, getAffinity, setAffinity } from '../tracee/pin.ts'
import type { StubThread } from '../tracee/stub-thread.ts'
import type { Step } from './plan-tree.ts'
import { type LiveTask, owns, type RestoreRun } from './state.ts'
import { hireWorker } from './worker.ts'

/** Parents that their children are cloned from and may have memory of, by the children's pids. */
export function clonedBy(steps: readonly Step[]): Map<NsPid, NsPid> {
  const parents = new Map<NsPid, NsPid>()
  for (const step of steps)
    if (step.do === 'clone' && !step.helper && !step.sibling && !step.shares.vm)
      parents.set(step.pid, step.by)
  return parents
}

/** Bytes from which on reading is spread over all CPUs. */
const SPREAD_FROM = 4 << 20

/**
 * The memory of all tasks. Mostly it is placed in all at the same time, once they exist; but what
 * children share with their parent copy-on-write is in the parent before they are cloned.
 */
export class TreeMemory {
  readonly #run: RestoreRun
  readonly #plans: ReadonlyMap<NsPid, MemoryPlan>
  readonly #placed = new Map<NsPid, MemoryTarget>()
  /** The kernel's mappings of each process. */
  readonly #kernels = new Map<NsPid, KernelMappings>()
  /** Where they are now; none for those that have given them up. */
  readonly #kernelAt = new Map<NsPid, bigint>()

  constructor(run: RestoreRun, plans: ReadonlyMap<NsPid, MemoryPlan>) {
    this.#run = run
    this.#plans = plans
  }

  /** A task is about to be cloned: its parent gets what the task is to have of it. */
  beforeClone(pid: NsPid, by: LiveTask): void {
    if (!this.#plans.get(pid)?.inheritance || this.#placed.has(by.task.nsPid)) return
    this.#onAllCpus([by], () => runSideBySide([this.#content(by)]))
  }

  /**
   * A process has been cloned by another, whose memory it has; or it has memory of its own (`by` is
   * undefined): the first one, and one that has become a stub of another width.
   */
  afterClone(pid: NsPid, host: HostPid, by: NsPid | undefined): void {
    const fresh = by === undefined ? readKernelMappings(host) : undefined
    const kernel = fresh ?? this.#kernels.get(by!)
    if (kernel) this.#kernels.set(pid, kernel)
    const at = fresh ? fresh.start : this.#kernelAt.get(by!)
    if (at !== undefined) this.#kernelAt.set(pid, at)
  }

  /** All content that is not there yet, in all tasks side by side, then protections and the rest. */
  place(): void {
    const tasks = [...this.#run.live.values()].filter((live) => owns(live, 'vm'))
    const waiting = tasks.filter(({ task }) => !this.#placed.has(task.nsPid))
    this.#onAllCpus(waiting, () => runSideBySide(waiting.map((live) => this.#content(live))))
    runSideBySide(
      tasks.map(({ task, threads }) => {
        const target = this.#placed.get(task.nsPid)!
        return {
          leader: threads[0]!,
          steps: finishMemory(this.#plan(task.nsPid), target, this.#run),
        }
      }),
    )
  }

  /**
   * Short tables run on our own CPU, which saves waking others; reading is long work, and worth it.
   */
  #onAllCpus(tasks: readonly LiveTask[], read: () => void): void {
    const bytes = tasks.reduce((sum, { task }) => sum + this.#plan(task.nsPid).initial.total, 0)
    if (bytes < SPREAD_FROM) {
      read()
      return
    }
    const ours = getAffinity(0)
    for (const { threads } of tasks) setAffinity(threads[0]!.pid, this.#run.affinity)
    read()
    for (const { threads } of tasks) setAffinity(threads[0]!.pid, ours)
  }

  #content({ task, threads }: LiveTask): Stream {
    const leader = threads[0]!
    const plan = this.#plan(task.nsPid)
    const kernel = this.#kernels.get(task.nsPid)!
    const { arena } = this.#run
    const vdso = planKernelMappings(plan, kernel, arena)
    const kernelAt = this.#kernelAt.get(task.nsPid)
    if (kernelAt === undefined && vdso.kind !== 'none')
      return fail({
        code: 'conflict',
        pid: task.nsPid,
        reason: `process ${task.nsPid} has a vDSO, and its parent, whose memory it shares, has none`,
      })
    const run = this.#run
    const hire = countCpus(run.affinity) > 1 ? () => hireWorker(leader, run) : undefined
    const target = { leader, arena, kernel, kernelAt: kernelAt ?? 0n, vdso, hireWorker: hire }
    this.#placed.set(task.nsPid, target)
    if (vdso.kind === 'none') this.#kernelAt.delete(task.nsPid)
    else this.#kernelAt.set(task.nsPid, vdso.to)
    return { leader, steps: placeContent(plan, target, this.#run) }
  }

  #plan(pid: NsPid): MemoryPlan {
    return this.#plans.get(pid) ?? fail({ code: 'internal', reason: `no memory of task ${pid}` })
  }
}

interface Stream {
  readonly leader: StubThread
  readonly steps: Iterator<TableStep>
}

/** Runs a series of tables in each of several tasks, which do not wait for each other. */
function runSideBySide(streams: readonly Stream[]): void {
  let running = streams.flatMap((stream) => begin(stream))
  while (running.length > 0)
    running = running.flatMap(({ stream, step }) => {
      finishStep(stream.leader, step)
      return begin(stream)
    })
}

function begin(stream: Stream): { stream: Stream; step: TableStep }[] {
  const next = stream.steps.next()
  if (next.done) return []
  startStep(stream.leader, next.value)
  return [{ stream, step: next.value }]
}

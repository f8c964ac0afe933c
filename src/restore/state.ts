import { ALL_SIGNALS } from '../kernel/constants/signals.ts'
import { setSignalMask } from '../kernel/ptrace.ts'
import type { HostPid, NsPid } from '../kernel/types.ts'
import type { Log } from '../log/log.ts'
import type { RestoreContext, RestoreTask, RestoreThread } from '../resources/restore-model.ts'
import type { StubArena } from '../tracee/stub-arena.ts'
import type { StubThread } from '../tracee/stub-thread.ts'
import { endSignal } from '../tracee/stub-thread.ts'
import type { FileTable } from './open-files.ts'
import type { Plan } from './plan.ts'

/** A task of the images that exists now, and that we hold. */
export interface LiveTask {
  readonly task: RestoreTask
  /** Leader first; the others from the connect stage on. */
  readonly threads: StubThread[]
  /** The task whose memory (descriptor table, directories) it has, itself mostly. */
  readonly owner: { readonly vm: NsPid; readonly files: NsPid; readonly fs: NsPid }
}

/** All that the stages of one restore share. */
export interface RestoreRun extends RestoreContext {
  readonly plan: Plan
  readonly files: FileTable
  readonly arena: StubArena
  /** The CPUs that we may run on when not pinned to one. */
  readonly affinity: Uint8Array
  /** Every process that we made and that may still be there, helpers and zombies too. */
  readonly made: Set<HostPid>
  /** Living tasks by pid, parents before children. */
  readonly live: Map<NsPid, LiveTask>
}

/** Where a task's own calls are logged: with `--log-pid` in a file of its own. */
export function logOf({ options, log }: RestoreRun, pid: NsPid): Log {
  return options.logPid ? log.forTask(pid) : log
}

/** Does the task restore this object itself, or has another one that shares it done so. */
export function owns({ task, owner }: LiveTask, what: keyof LiveTask['owner']): boolean {
  return owner[what] === task.nsPid
}

const siginfoSigno = (bytes: Uint8Array): number =>
  bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true)

/** The signal that ends a thread's tables: none that it is to have pending. */
export function endSignalOf(task: RestoreTask, thread: RestoreThread): number {
  const queues = [task.core.tc?.signals_s, thread.core.thread_core?.signals_p]
  const pending = queues
    .flatMap((queue) => queue?.signals ?? [])
    .map(({ siginfo }) => siginfoSigno(siginfo))
    .filter((signal) => signal > 0)
  return endSignal(pending.reduce((set, signal) => set | (1n << BigInt(signal - 1)), 0n))
}

/** Blocks every signal but the one that ends a thread's tables. */
export function blockAllBut(tid: HostPid, signal: number): void {
  setSignalMask(tid, ALL_SIGNALS & ~(1n << BigInt(signal - 1)))
}

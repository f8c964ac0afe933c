import { PTRACE, PTRACE_PEEKSIGINFO } from '../../kernel/constants/ptrace.ts'
import { SI, signalsOf } from '../../kernel/constants/signals.ts'
import { ptracePeeksiginfoArgs, siginfo, siginfoRt } from '../../kernel/layout/index.ts'
import { scratch } from '../../kernel/memory.ts'
import { readStatus } from '../../kernel/proc/status.ts'
import { mustPtrace } from '../../kernel/ptrace.ts'
import type { HostPid } from '../../kernel/types.ts'
import type { DumpTask, DumpThread } from '../dump-model.ts'

const AT_ONCE = 32

/** siginfo_t of what is pending, oldest first. */
export interface Pending {
  readonly process: readonly Uint8Array[]
  readonly ofThread: ReadonlyMap<DumpThread, readonly Uint8Array[]>
}

const known = new WeakMap<DumpTask, Pending>()

/**
 * All pending signals of a process: looked at once, so that those who ask see the same. To be asked
 * for once the timers have told their times: a timer that goes off in between shows here.
 */
export function pendingOf(task: DumpTask): Pending {
  const before = known.get(task)
  if (before) return before
  const { sharedPending } = readStatus(task.proc).signals
  const found: Pending = {
    process: queueOf(task.pid, 'process', sharedPending),
    ofThread: new Map(
      task.threads.map((thread) => {
        const { pending } = readStatus(thread.proc).signals
        return [thread, queueOf(thread.seized.tid, 'thread', pending)] as const
      }),
    ),
  }
  known.set(task, found)
  return found
}

/** Nothing to ask for where the set is empty: nearly always. */
const queueOf = (tid: HostPid, of: 'process' | 'thread', set: bigint): Uint8Array[] =>
  set === 0n ? [] : pendingSignals(tid, of, set)

/**
 * siginfo_t of every pending signal, oldest first. `set` is the pending set as /proc tells it: a signal
 * in it that the queue lacks was sent when the queue was full, and comes as sent by nobody
 * (kernel/signal.c, collect_signal).
 */
function pendingSignals(tid: HostPid, of: 'process' | 'thread', set: bigint): Uint8Array[] {
  const found: Uint8Array[] = []
  for (;;) {
    const batch = peek(tid, of, found.length)
    found.push(...batch)
    if (batch.length < AT_ONCE) break
  }
  const queued = new Set(found.map((info) => siginfo.decode(info).signo))
  const lost = signalsOf(set).filter((signo) => !queued.has(signo))
  return [...found, ...lost.map((signo) => siginfoRt.encode({ signo, code: SI.USER }))]
}

function peek(tid: HostPid, of: 'process' | 'thread', off: number): Uint8Array[] {
  using s = scratch()
  const flags = of === 'process' ? PTRACE_PEEKSIGINFO.SHARED : 0
  const args = s.put(ptracePeeksiginfoArgs.encode({ off: BigInt(off), flags, nr: AT_ONCE }))
  const infos = s.take(AT_ONCE * siginfo.size)
  const count = mustPtrace(
    'ptrace(PEEKSIGINFO)',
    PTRACE.PEEKSIGINFO,
    tid,
    args.address,
    infos.address,
  )
  return Array.from({ length: count }, (_, i) =>
    infos.bytes.slice(i * siginfo.size, (i + 1) * siginfo.size),
  )
}

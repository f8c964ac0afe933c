import { PTRACE, PTRACE_PEEKSIGINFO } from '../../kernel/constants/ptrace.ts'
import { SI, signalsOf } from '../../kernel/constants/signals.ts'
import { ptracePeeksiginfoArgs, siginfo, siginfoRt } from '../../kernel/layout/index.ts'
import { scratch } from '../../kernel/memory.ts'
import { mustPtrace } from '../../kernel/ptrace.ts'
import type { HostPid } from '../../kernel/types.ts'

const AT_ONCE = 32

/**
 * siginfo_t of every pending signal, oldest first. `set` is the pending set as /proc tells it: a signal
 * in it that the queue lacks was sent when the queue was full, and comes as sent by nobody
 * (kernel/signal.c, collect_signal).
 */
export function pendingSignals(tid: HostPid, of: 'process' | 'thread', set: bigint): Uint8Array[] {
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

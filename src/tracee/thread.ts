import type { Registers } from '../arch/x86_64/registers.ts'
import { fail } from '../errors/error.ts'
import { PTRACE } from '../kernel/constants/ptrace.ts'
import { getRegisters, ptrace, setRegisters, setSignalMask } from '../kernel/ptrace.ts'
import type { HostPid, NsPid } from '../kernel/types.ts'
import { describeStop, type Stop, waitStop } from '../kernel/wait.ts'

/** A thread that we hold by ptrace, with the state that it had before we touched it. */
export interface SeizedThread {
  readonly tid: HostPid
  /** In its own pid namespace. */
  readonly nsTid: NsPid
  /** As they were when it stopped; what it goes on with. */
  readonly registers: Registers
  /** Blocked signals; in a sigsuspend the mask that it will give back. */
  readonly mask: bigint
}

/** A thread group that we hold whole. */
export interface SeizedProcess {
  readonly pid: HostPid
  readonly nsPid: NsPid
  /** Leader first. */
  readonly threads: readonly SeizedThread[]
  /** The signal of the group-stop that it was found in, 0 for a running one. */
  readonly stopSignal: number
}

/** Waits for a stop of one kind; anything else is reported with registers and the code around. */
export function expectStop<K extends Stop['kind']>(
  tid: HostPid,
  kind: K,
): Extract<Stop, { kind: K }> {
  const stop = waitStop(tid)
  if (stop.kind === kind) return stop as Extract<Stop, { kind: K }>
  return unexpectedStop(tid, kind, stop)
}

export function unexpectedStop(tid: HostPid, expected: string, stop: Stop): never {
  return fail({
    code: 'tracee',
    pid: tid,
    expected,
    found: describeStop(stop),
    ...(stop.kind === 'exited' || stop.kind === 'killed'
      ? {}
      : { registers: describeRegisters(tid) }),
  })
}

export function describeRegisters(tid: HostPid): string {
  try {
    return getRegisters(tid).toString()
  } catch {
    return 'registers are gone'
  }
}

/**
 * Brings a thread that stopped anywhere into the stop of PTRACE_INTERRUPT, without letting it run an
 * instruction of its own: the interrupt is pending before it is continued, and the kernel looks at it
 * before it returns to user mode. A signal that comes between is handed to `onSignal`.
 */
export function toInterruptStop(tid: HostPid, onSignal: (signal: number) => void = () => {}): void {
  ptrace(PTRACE.INTERRUPT, tid)
  ptrace(PTRACE.CONT, tid, 0, 0)
  for (;;) {
    const stop = waitStop(tid)
    if (stop.kind === 'interrupt' || stop.kind === 'group-stop') return
    if (stop.kind === 'exited' || stop.kind === 'killed')
      fail({ code: 'vanished', pid: tid, reason: describeStop(stop) })
    if (stop.kind === 'signal') onSignal(stop.signal)
    ptrace(PTRACE.CONT, tid, 0, 0)
  }
}

/**
 * Gives a thread back the registers and mask that it was found with; it stays stopped. The mask comes
 * first: should we die between the two, it goes home by our code, which sets the mask as well.
 */
export function giveBack(thread: SeizedThread): void {
  setSignalMask(thread.tid, thread.mask)
  setRegisters(thread.tid, thread.registers)
}

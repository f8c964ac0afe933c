import { controlBlock } from '../arch/x86_64/infection.ts'
import { type Registers, USER_CS } from '../arch/x86_64/registers.ts'
import { fail } from '../errors/error.ts'
import { SIG, signalName } from '../kernel/constants/signals.ts'
import { getEventMessage, getRegisters, resume, setRegisters } from '../kernel/ptrace.ts'
import { sys } from '../kernel/sys.ts'
import type { Table } from '../kernel/table.ts'
import { type HostPid, hostPid, type NsPid } from '../kernel/types.ts'
import { describeStop, waitStop } from '../kernel/wait.ts'
import type { Log } from '../log/log.ts'
import { checkRun, type Runner, traceRun } from './run.ts'
import type { Slice, StubArena } from './stub-arena.ts'
import { describeRegisters } from './thread.ts'

/** Signals that the kernel forces on a thread for what it did: our code has gone wrong then. */
const FAULTS: readonly number[] = [SIG.SEGV, SIG.BUS, SIG.ILL, SIG.FPE, SIG.SYS, SIG.TRAP]

/**
 * A thread of a task that is being restored: it has no code but the loop in the arena. It dies with
 * us (PTRACE_O_EXITKILL). Signals that reach it before it is let go are dropped: they are for the
 * restore's own children, not for the task.
 */
export class StubThread implements Runner {
  readonly pid: HostPid
  readonly nsTid: NsPid
  readonly #slice: Slice
  readonly #arena: StubArena
  readonly #log: Log
  readonly #base: Registers
  #signal = 0
  /** Tasks that it cloned since they were last taken. */
  #born: HostPid[] = []

  /** The thread is stopped; `tgid` is its process as its own pid namespace counts it. */
  constructor(
    ids: { tid: HostPid; nsTid: NsPid; tgid: NsPid },
    endSignal: number,
    arena: StubArena,
    slice: Slice,
    log: Log,
  ) {
    this.pid = ids.tid
    this.nsTid = ids.nsTid
    this.#arena = arena
    this.#slice = slice
    this.#log = log
    this.#base = getRegisters(ids.tid).with({ orig_rax: -1n, eflags: 0x202n, cs: USER_CS })
    this.#signal = endSignal
    arena.write(slice.control, controlBlock(ids.tgid, ids.nsTid, 0n, endSignal))
  }

  table(): Table {
    return this.#slice.table.reset()
  }

  run(table: Table, what?: string): void {
    this.start(table)
    this.finish(table, what)
  }

  /** Lets the thread begin; others may run meanwhile, until {@link finish}. */
  start(table: Table): void {
    const { first, end } = table.range
    setRegisters(
      this.pid,
      this.#base.with({
        rip: this.#arena.address,
        rbx: first,
        r12: end,
        r13: table.base,
        r15: this.#slice.control,
      }),
    )
    resume(this.pid)
  }

  finish(table: Table, what?: string): void {
    this.#waitForEnd(what)
    traceRun(table, this.pid, this.#log)
    checkRun(table, this.pid, what)
  }

  /** Sends a stop signal to the process, and passes it on; true if that put it into a group-stop. */
  stopBy(signal: number): boolean {
    const table = this.table()
    table.call('getpid')
    sys('kill', this.pid, signal)
    this.start(table)
    for (let stopped = false; ; ) {
      const stop = waitStop(this.pid)
      if (stop.kind === 'signal' && stop.signal === this.#signal) return stopped
      if (stop.kind === 'exited' || stop.kind === 'killed')
        fail({ code: 'tracee', pid: this.pid, expected: 'a stop', found: describeStop(stop) })
      stopped ||= stop.kind === 'group-stop'
      resume(this.pid, stop.kind === 'signal' && stop.signal === signal ? signal : 0)
    }
  }

  /** The tasks that its tables have cloned, in order, each in its first stop. */
  takeBorn(): HostPid[] {
    const born = this.#born
    this.#born = []
    for (const pid of born) waitForFirstStop(pid)
    return born
  }

  #waitForEnd(what: string | undefined): void {
    for (;;) {
      const stop = waitStop(this.pid)
      if (stop.kind === 'signal' && stop.signal === this.#signal) return
      if (stop.kind === 'event') this.#born.push(hostPid(Number(getEventMessage(this.pid))))
      const gone = stop.kind === 'exited' || stop.kind === 'killed'
      const fault = stop.kind === 'signal' && FAULTS.includes(stop.signal)
      if (gone || fault)
        fail({
          code: 'tracee',
          pid: this.pid,
          expected: `the end of a table${what ? ` (to ${what})` : ''}`,
          found: fault ? `a fault, ${signalName(stop.signal)}` : describeStop(stop),
          ...(gone ? {} : { registers: describeRegisters(this.pid) }),
        })
      resume(this.pid)
    }
  }
}

/** Where its process is in a group-stop, a new thread begins in that. */
function waitForFirstStop(pid: HostPid): void {
  const stop = waitStop(pid)
  if (stop.kind === 'interrupt' || stop.kind === 'group-stop') return
  fail({ code: 'tracee', pid, expected: 'its first stop', found: describeStop(stop) })
}

/** Signals that may end a table; none stops or continues a process, and none is forced on it. */
const END_SIGNALS = [SIG.URG, SIG.WINCH, SIG.IO, SIG.PWR, SIG.USR1, SIG.USR2, SIG.HUP, SIG.TERM]

/**
 * A signal to end tables with: one that the task is not to have pending afterwards (bit n − 1 of
 * `pending` stands for signal n), so that ours is never taken for that one.
 */
export function endSignal(pending: bigint): number {
  for (const signal of [...END_SIGNALS, ...Array.from({ length: 33 }, (_, i) => 64 - i)])
    if (!((pending >> BigInt(signal - 1)) & 1n)) return signal
  return fail({
    code: 'conflict',
    reason: 'every signal is pending in a task of the images, and a restore needs one that is not',
  })
}

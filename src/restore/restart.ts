import { registersToGoOn } from '../arch/x86_64/image-registers.ts'
import type { Registers } from '../arch/x86_64/registers.ts'
import {
  type ArgumentRegister,
  argumentOf,
  argumentRegisters,
  type TimedCall,
  timedCall,
} from '../arch/x86_64/timed-calls.ts'
import { fail } from '../errors/error.ts'
import { Errno } from '../kernel/errno.ts'
import { timespec } from '../kernel/layout/time.ts'
import { getRegisters, interrupt, resumeToSyscall, setRegisters } from '../kernel/ptrace.ts'
import type { HostPid } from '../kernel/types.ts'
import { describeStop, waitStop } from '../kernel/wait.ts'
import type { RestoreTask, RestoreThread } from '../resources/restore-model.ts'
import { restoredThread } from '../resources/task-extra.ts'
import { singleCall } from '../tracee/stub.ts'
import type { StubThread } from '../tracee/stub-thread.ts'
import type { RestoreRun } from './state.ts'

/** How a thread goes on. */
export interface GoOn {
  readonly registers: Registers
  /** It goes on waiting in the kernel: only a thread let go from the stop of an interrupt does. */
  readonly waiting: boolean
}

const NANOS = 1_000_000_000n
const NANOS_PER_MILLI = 1_000_000n

/**
 * The registers of a thread, and where it was waiting with a timeout, that wait for the time that was
 * left of it. The kernel remembers such a wait in a place that nobody can write (the restart block). So
 * the thread makes the very call again here, with the rest of the time, and is interrupted in it at
 * once: the kernel then remembers the same as it did before the dump.
 */
export function prepareToGoOn(
  task: RestoreTask,
  thread: RestoreThread,
  stub: StubThread,
  run: RestoreRun,
): GoOn {
  const registers = registersToGoOn(thread.core.thread_info!.gpregs)
  if (registers.get('eflags') & ID_FLAG) setIdFlag(stub, run)
  const extra = restoredThread(task, thread, run)
  if (extra?.restart_call === undefined || extra.restart_nanos === undefined)
    return { registers, waiting: false }
  const nr = extra.restart_call
  const arguments_ = callArguments(nr, extra.restart_nanos, registers, stub)
  if (!arguments_) return { registers, waiting: false }
  // By the instruction of its own ABI: the kernel remembers how it was called.
  const { arena } = run
  const at = registers.isCompat ? arena.int80Instruction : arena.syscallInstruction
  const result = interruptedCall(stub.pid, at, nr, arguments_)
  const waiting = result === -Errno.ERESTART_RESTARTBLOCK
  const changes = { rax: BigInt(result), orig_rax: waiting ? BigInt(nr) : -1n }
  return { registers: registers.with(changes), waiting }
}

/** Bit 21 of the flags: a program that can change it knows that there is cpuid. */
const ID_FLAG = 1n << 21n
const RESERVED_AND_INTERRUPTS = 0x202n

/** ptrace leaves this flag as it is (FLAG_MASK of arch/x86/kernel/ptrace.c): the thread itself sets it. */
function setIdFlag(stub: StubThread, { arena }: RestoreRun): void {
  const flags = stub.table().space(8)
  flags.view.setBigUint64(0, ID_FLAG | RESERVED_AND_INTERRUPTS, true)
  singleCall(stub.pid, arena.flagsInstruction, 'getpid', [], flags.address)
}

type Arguments = Partial<Record<ArgumentRegister, bigint>>

/** Which argument of a call is its timeout. */
const TIMEOUT_AT = { nanosleep: 0, clock_nanosleep: 2, poll: 2, futex: 3 } as const

/** The call's own arguments, as its registers still have them, with another timeout. */
function callArguments(
  nr: number,
  nanos: bigint,
  registers: Registers,
  stub: StubThread,
): Arguments | undefined {
  const call = timedCall(nr, registers.isCompat)
  if (!call) return undefined
  const names = argumentRegisters(registers.isCompat)
  const timeout =
    call.kind === 'poll'
      ? (nanos + NANOS_PER_MILLI - 1n) / NANOS_PER_MILLI
      : stub.table().data(encodeTime(nanos, call)).address
  const values = names.map((name, i): [ArgumentRegister, bigint] => [
    name,
    i === TIMEOUT_AT[call.kind] ? timeout : argumentOf(registers, i),
  ])
  return Object.fromEntries(values)
}

/** A timespec, in words of 32 bits for the older calls of i386. */
function encodeTime(nanos: bigint, { word }: TimedCall): Uint8Array {
  const time = { sec: nanos / NANOS, nsec: nanos % NANOS }
  if (word === 8) return timespec.encode(time)
  return new Uint8Array(Int32Array.of(Number(time.sec), Number(time.nsec)).buffer)
}

/** Makes a call with an interrupt already pending: it ends at once, and is left at its exit. */
function interruptedCall(tid: HostPid, instruction: bigint, nr: number, args: Arguments): number {
  const call = { rip: instruction, rax: BigInt(nr), orig_rax: -1n, ...args }
  setRegisters(tid, getRegisters(tid).with(call))
  resumeToSyscall(tid)
  waitForSyscall(tid)
  interrupt(tid)
  resumeToSyscall(tid)
  waitForSyscall(tid)
  return Number(BigInt.asIntN(64, getRegisters(tid).get('rax')))
}

function waitForSyscall(tid: HostPid): void {
  for (;;) {
    const stop = waitStop(tid)
    if (stop.kind === 'syscall') return
    if (stop.kind === 'exited' || stop.kind === 'killed')
      fail({ code: 'tracee', pid: tid, expected: 'a system call', found: describeStop(stop) })
    resumeToSyscall(tid)
  }
}

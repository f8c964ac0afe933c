import { REGISTERS_SIZE, Registers } from '../arch/x86_64/registers.ts'
import { PTRACE, PTRACE_O } from './constants/ptrace.ts'
import { scratch } from './memory.ts'
import { checked, sys } from './sys.ts'
import type { HostPid } from './types.ts'

/** Notes of a task's state (linux/elf.h). */
export const NT_PRSTATUS = 1
export const NT_X86_XSTATE = 0x202

const SIGSET_SIZE = 8
const ESRCH = 3

/** ptrace(2): its result, or −errno. */
export function ptrace(
  request: number,
  tid: HostPid,
  addr: number | bigint = 0,
  data: number | bigint = 0,
): number {
  return sys('ptrace', request, tid, addr, data)
}

/** ptrace(2) that must succeed; ESRCH says that the task is not stopped or gone. */
export function mustPtrace(
  operation: string,
  request: number,
  tid: HostPid,
  addr: number | bigint = 0,
  data: number | bigint = 0,
): number {
  return checked(ptrace(request, tid, addr, data), operation, { pid: tid })
}

/**
 * Options of a tracee, with its seccomp filters suspended where we may do that (CAP_SYS_ADMIN, and no
 * filter of our own): without it, our calls must be within the filters.
 */
export function setOptions(tid: HostPid, options: number): void {
  if (ptrace(PTRACE.SETOPTIONS, tid, 0, options | PTRACE_O.SUSPEND_SECCOMP) === 0) return
  mustPtrace('ptrace(SETOPTIONS)', PTRACE.SETOPTIONS, tid, 0, options)
}

/** Lets a stopped task run; `signal` is delivered to it. */
export function resume(tid: HostPid, signal = 0): void {
  mustPtrace('ptrace(CONT)', PTRACE.CONT, tid, 0, signal)
}

/** Lets a stopped task run to its next entry to or exit from a system call. */
export function resumeToSyscall(tid: HostPid): void {
  mustPtrace('ptrace(SYSCALL)', PTRACE.SYSCALL, tid)
}

/** Detaches; false where the task was gone or not stopped. */
export function detachIfAlive(tid: HostPid, signal = 0): boolean {
  const result = ptrace(PTRACE.DETACH, tid, 0, signal)
  if (result < 0 && result !== -ESRCH) checked(result, 'ptrace(DETACH)', { pid: tid })
  return result === 0
}

export function interrupt(tid: HostPid): void {
  mustPtrace('ptrace(INTERRUPT)', PTRACE.INTERRUPT, tid)
}

export function getRegisters(tid: HostPid): Registers {
  const bytes = getRegset(tid, NT_PRSTATUS, REGISTERS_SIZE)
  if (bytes.length === REGISTERS_SIZE) return new Registers(bytes)
  // A 32-bit task gives its 32-bit set there; PTRACE_GETREGS always gives ours.
  using s = scratch()
  const memory = s.take(REGISTERS_SIZE)
  mustPtrace('ptrace(GETREGS)', PTRACE.GETREGS, tid, 0, memory.address)
  return new Registers(memory.bytes.slice())
}

export function setRegisters(tid: HostPid, registers: Registers): void {
  using s = scratch()
  mustPtrace('ptrace(SETREGS)', PTRACE.SETREGS, tid, 0, s.put(registers.bytes).address)
}

/** A register set of at most `max` bytes (PTRACE_GETREGSET). */
export function getRegset(tid: HostPid, note: number, max: number): Uint8Array {
  using s = scratch()
  const memory = s.take(max)
  const iovec = s.take(16)
  iovec.view.setBigUint64(0, memory.address, true)
  iovec.view.setBigUint64(8, BigInt(max), true)
  mustPtrace('ptrace(GETREGSET)', PTRACE.GETREGSET, tid, note, iovec.address)
  return memory.bytes.slice(0, Number(iovec.view.getBigUint64(8, true)))
}

export function setRegset(tid: HostPid, note: number, bytes: Uint8Array): void {
  using s = scratch()
  const iovec = s.take(16)
  iovec.view.setBigUint64(0, s.put(bytes).address, true)
  iovec.view.setBigUint64(8, BigInt(bytes.length), true)
  mustPtrace('ptrace(SETREGSET)', PTRACE.SETREGSET, tid, note, iovec.address)
}

/**
 * The blocked signals. In a sigsuspend or ppoll this is the mask that it will give back, not its
 * temporary one.
 */
export function getSignalMask(tid: HostPid): bigint {
  using s = scratch()
  const memory = s.take(SIGSET_SIZE)
  mustPtrace('ptrace(GETSIGMASK)', PTRACE.GETSIGMASK, tid, SIGSET_SIZE, memory.address)
  return memory.view.getBigUint64(0, true)
}

export function setSignalMask(tid: HostPid, mask: bigint): void {
  using s = scratch()
  const memory = s.take(SIGSET_SIZE)
  memory.view.setBigUint64(0, mask, true)
  mustPtrace('ptrace(SETSIGMASK)', PTRACE.SETSIGMASK, tid, SIGSET_SIZE, memory.address)
}

/** siginfo of the signal that a task stopped at. */
export function getSiginfo(tid: HostPid): Uint8Array {
  using s = scratch()
  const memory = s.take(128)
  mustPtrace('ptrace(GETSIGINFO)', PTRACE.GETSIGINFO, tid, 0, memory.address)
  return memory.bytes.slice()
}

/** PTRACE_GETEVENTMSG: the new task's tid after a clone event, the exit code after an exit event. */
export function getEventMessage(tid: HostPid): bigint {
  using s = scratch()
  const memory = s.take(8)
  mustPtrace('ptrace(GETEVENTMSG)', PTRACE.GETEVENTMSG, tid, 0, memory.address)
  return memory.view.getBigUint64(0, true)
}

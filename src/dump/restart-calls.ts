import type { Registers } from '../arch/x86_64/registers.ts'
import { Syscall } from '../arch/x86_64/syscalls.ts'
import { Syscall32 } from '../arch/x86_64/syscalls32.ts'
import {
  argumentOf,
  callOf,
  restartNumber,
  resultOf,
  type TimedCall,
  timedCall,
} from '../arch/x86_64/timed-calls.ts'
import { Errno } from '../kernel/errno.ts'
import type { DumpTask, DumpThread } from '../resources/dump-model.ts'
import { readTaskMemory } from '../resources/memory/read.ts'
import { threadExtra } from '../resources/task-extra.ts'
import { isSameWait, monotonicNanos, type Wait } from './waits.ts'

/** A call that the kernel would go on with by itself: which, and how long it has still to wait. */
export interface RestartCall {
  readonly nr: number
  /** Nanoseconds; undefined for a call that is simply made again (no timeout, or an absolute one). */
  readonly remaining: number | undefined
}

const FUTEX_COMMAND_MASK = 0x7f
const FUTEX_WAIT = 0

/**
 * The call that a thread was interrupted in, if it is one of those. The rest of its time goes into an
 * image of our own, since upstream's have no field for it.
 */
export function collectRestart(
  task: DumpTask,
  thread: DumpThread,
  wait: Wait | undefined,
): RestartCall | undefined {
  const call = restartCall(task, thread, wait)
  if (call?.remaining === undefined) return call
  const extra = threadExtra(thread)
  extra.restart_call = call.nr
  extra.restart_nanos = BigInt(Math.max(0, Math.round(call.remaining)))
  return call
}

function restartCall(
  task: DumpTask,
  thread: DumpThread,
  wait: Wait | undefined,
): RestartCall | undefined {
  const { registers, tid } = thread.seized
  if (resultOf(registers) !== -BigInt(Errno.ERESTART_RESTARTBLOCK)) return undefined
  const nr = originalCall(task, registers, wait)
  if (nr === undefined) return undefined
  const timeout = requested(task, nr, registers)
  if (timeout === undefined) return { nr, remaining: undefined }
  if (timeout.isRest) return { nr, remaining: timeout.nanos }
  // Not seen before it was stopped, or woken meanwhile: it has just begun to wait.
  const waited = wait && isSameWait(tid, wait) ? monotonicNanos() - wait.since : 0
  return { nr, remaining: timeout.nanos - waited }
}

/**
 * The call that a restarted one (restart_syscall, after an earlier interruption) stands for. Its number
 * is lost; but the instruction before it tells, or where it was seen to wait; its arguments are there.
 */
function originalCall(
  task: DumpTask,
  registers: Registers,
  wait: Wait | undefined,
): number | undefined {
  const nr = callOf(registers)
  const { isCompat } = registers
  if (nr !== restartNumber(isCompat)) return nr
  const before = numberBefore(task, registers)
  if (before !== undefined) return before
  const place = wait?.place ?? ''
  return isCompat ? callAt32(place, task, registers) : callAt(place, registers)
}

/** mov eax,number: what a program does before a system call. */
const MOV_EAX = 0xb8
const MOV_SIZE = 5
/** pop ebp; pop edx; pop ecx; ret: the end of __kernel_vsyscall in the vDSO of 32 bits. */
const VSYSCALL_END = Buffer.from([0x5d, 0x5a, 0x59, 0xc3])
/** Where the address that it returns to stands, above what it pops. */
const RETURN_AT = 12n
/** So far before the call of __kernel_vsyscall a library sets the number. */
const REACH = 40

function numberBefore(task: DumpTask, registers: Registers): number | undefined {
  const rip = registers.get('rip')
  const end = registers.isCompat ? readTaskMemory(task, rip, VSYSCALL_END.length) : undefined
  if (end && VSYSCALL_END.equals(end)) return numberBeforeCall(task, registers)
  const bytes = readTaskMemory(task, rip - BigInt(2 + MOV_SIZE), MOV_SIZE)
  if (bytes?.[0] !== MOV_EAX) return undefined
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(1, true)
}

/** The last number of a timed call that is set before __kernel_vsyscall is called. */
function numberBeforeCall(task: DumpTask, registers: Registers): number | undefined {
  const slot = readTaskMemory(task, registers.get('rsp') + RETURN_AT, 4)
  if (!slot) return undefined
  const back = new DataView(slot.buffer, slot.byteOffset).getUint32(0, true)
  const code = readTaskMemory(task, BigInt(back - REACH), REACH)
  if (!code) return undefined
  const view = new DataView(code.buffer, code.byteOffset)
  for (let at = REACH - MOV_SIZE; at >= 0; at--) {
    const number = code[at] === MOV_EAX ? view.getInt32(at + 1, true) : -1
    if (timedCall(number, true)) return number
  }
  return undefined
}

function callAt(place: string, registers: Registers): number | undefined {
  if (place.includes('poll')) return Syscall.poll
  if (place.includes('futex')) return Syscall.futex
  if (!place.includes('nanosleep')) return undefined
  return isClock(registers) ? Syscall.clock_nanosleep : Syscall.nanosleep
}

/** In 32-bit code there are two of each, with times of 32 or 64 bits. */
function callAt32(place: string, task: DumpTask, registers: Registers): number | undefined {
  const is64 = (index: number) => isTime64(task, argumentOf(registers, index))
  if (place.includes('poll')) return Syscall32.poll
  if (place.includes('futex')) return is64(3) ? Syscall32.futex_time64 : Syscall32.futex
  if (!place.includes('nanosleep')) return undefined
  if (!isClock(registers)) return Syscall32.nanosleep
  return is64(2) ? Syscall32.clock_nanosleep_time64 : Syscall32.clock_nanosleep
}

/** The first argument is a clock's number, not an address. */
const isClock = (registers: Registers): boolean => argumentOf(registers, 0) < 4096n

/** Could there be a timespec with words of 64 bits: nanoseconds below a second, seconds not absurd. */
function isTime64(task: DumpTask, address: bigint): boolean {
  const words = readTaskMemory(task, address, 16)
  if (!words) return false
  const view = new DataView(words.buffer, words.byteOffset)
  return view.getUint32(4, true) === 0 && view.getBigUint64(8, true) < 1_000_000_000n
}

/** The timeout that a call was given, or the rest of it where the kernel wrote that down. */
function requested(
  task: DumpTask,
  nr: number,
  registers: Registers,
): { nanos: number; isRest: boolean } | undefined {
  const call = timedCall(nr, registers.isCompat)
  if (!call) return undefined
  const argument = (index: number) => argumentOf(registers, index)
  switch (call.kind) {
    case 'nanosleep':
      return sleepTime(task, argument(0), argument(1), call)
    case 'clock_nanosleep':
      return sleepTime(task, argument(2), argument(3), call)
    case 'poll': {
      const millis = Number(BigInt.asIntN(32, argument(2)))
      return millis < 0 ? undefined : { nanos: millis * 1e6, isRest: false }
    }
    case 'futex': {
      const command = Number(argument(1)) & FUTEX_COMMAND_MASK
      if (command !== FUTEX_WAIT || argument(3) === 0n) return undefined
      return { nanos: readTimespec(task, argument(3), call), isRest: false }
    }
    default:
      return call.kind satisfies never
  }
}

/** Where a sleep was given a place for the rest, the interruption has filled it in. */
function sleepTime(task: DumpTask, request: bigint, rest: bigint, call: TimedCall) {
  return rest === 0n
    ? { nanos: readTimespec(task, request, call), isRest: false }
    : { nanos: readTimespec(task, rest, call), isRest: true }
}

function readTimespec(task: DumpTask, address: bigint, { word }: TimedCall): number {
  const bytes = readTaskMemory(task, address, 2 * word)
  if (!bytes) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  if (word === 4) return view.getInt32(0, true) * 1e9 + view.getInt32(4, true)
  return Number(view.getBigInt64(0, true)) * 1e9 + Number(view.getBigInt64(8, true))
}

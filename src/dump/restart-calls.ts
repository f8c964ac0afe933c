import type { Registers } from '../arch/x86_64/registers.ts'
import { Syscall } from '../arch/x86_64/syscalls.ts'
import { Errno } from '../kernel/errno.ts'
import { tryReadProcFile } from '../kernel/proc/read.ts'
import type { HostPid } from '../kernel/types.ts'
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
const TIMESPEC = 16

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
  if (BigInt.asIntN(64, registers.get('rax')) !== -BigInt(Errno.ERESTART_RESTARTBLOCK))
    return undefined
  const nr = originalCall(task, tid, registers)
  if (nr === undefined) return undefined
  const timeout = requested(task, nr, registers)
  if (timeout === undefined) return { nr, remaining: undefined }
  if (timeout.isRest) return { nr, remaining: timeout.nanos }
  // Not seen before it was stopped, or woken meanwhile: it has just begun to wait.
  const waited = wait && isSameWait(tid, wait) ? monotonicNanos() - wait.since : 0
  return { nr, remaining: timeout.nanos - waited }
}

/**
 * The call that a restarted one (219, after an earlier interruption) stands for. Its number is lost;
 * its arguments are still there, and the kernel tells where it waits.
 */
function originalCall(task: DumpTask, tid: HostPid, registers: Registers): number | undefined {
  const nr = Number(registers.get('orig_rax'))
  if (nr !== Syscall.restart_syscall) return nr
  const before = readTaskMemory(task, registers.get('rip') - 7n, 5)
  if (before?.[0] === 0xb8) return new DataView(before.buffer, before.byteOffset).getInt32(1, true)
  const place = tryReadProcFile(`/proc/${tid}/wchan`) ?? ''
  if (place.includes('poll')) return Syscall.poll
  if (place.includes('futex')) return Syscall.futex
  if (!place.includes('nanosleep')) return undefined
  return registers.get('rdi') < 4096n ? Syscall.clock_nanosleep : Syscall.nanosleep
}

/** The timeout that a call was given, or the rest of it where the kernel wrote that down. */
function requested(
  task: DumpTask,
  nr: number,
  registers: Registers,
): { nanos: number; isRest: boolean } | undefined {
  switch (nr) {
    case Syscall.nanosleep:
      return sleepTime(task, registers.get('rdi'), registers.get('rsi'))
    case Syscall.clock_nanosleep:
      return sleepTime(task, registers.get('rdx'), registers.get('r10'))
    case Syscall.poll: {
      const millis = Number(BigInt.asIntN(32, registers.get('rdx')))
      return millis < 0 ? undefined : { nanos: millis * 1e6, isRest: false }
    }
    case Syscall.futex: {
      const command = Number(registers.get('rsi')) & FUTEX_COMMAND_MASK
      if (command !== FUTEX_WAIT || registers.get('r10') === 0n) return undefined
      return { nanos: readTimespec(task, registers.get('r10')), isRest: false }
    }
    default:
      return undefined
  }
}

/** Where a sleep was given a place for the rest, the interruption has filled it in. */
function sleepTime(task: DumpTask, request: bigint, rest: bigint) {
  return rest === 0n
    ? { nanos: readTimespec(task, request), isRest: false }
    : { nanos: readTimespec(task, rest), isRest: true }
}

function readTimespec(task: DumpTask, address: bigint): number {
  const bytes = readTaskMemory(task, address, TIMESPEC)
  if (!bytes) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return Number(view.getBigInt64(0, true)) * 1e9 + Number(view.getBigInt64(8, true))
}

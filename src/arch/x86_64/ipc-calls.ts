import type { Registers } from './registers.ts'
import { Syscall } from './syscalls.ts'
import { Syscall32 } from './syscalls32.ts'
import { argumentOf, callOf } from './timed-calls.ts'

/** The System V object that a thread waits for. */
export interface IpcWait {
  readonly kind: 'sem' | 'msg'
  readonly id: number
}

const NATIVE = new Map<number, IpcWait['kind']>([
  [Syscall.semop, 'sem'],
  [Syscall.semtimedop, 'sem'],
  [Syscall.msgsnd, 'msg'],
  [Syscall.msgrcv, 'msg'],
])

const COMPAT = new Map<number, IpcWait['kind']>([
  [Syscall32.semtimedop_time64, 'sem'],
  [Syscall32.msgsnd, 'msg'],
  [Syscall32.msgrcv, 'msg'],
])

/** Calls of ipc(2) on i386 (linux/ipc.h): SEMOP, SEMTIMEDOP, MSGSND, MSGRCV. */
const MULTIPLEXED = new Map<number, IpcWait['kind']>([
  [1, 'sem'],
  [4, 'sem'],
  [11, 'msg'],
  [12, 'msg'],
])

/** The semaphore set or message queue that a thread was stopped in a call on. */
export function ipcWaitOf(registers: Registers): IpcWait | undefined {
  const { isCompat } = registers
  const call = callOf(registers)
  const argument = (index: number) => Number(BigInt.asIntN(32, argumentOf(registers, index)))
  const isIpc = isCompat && call === Syscall32.ipc
  const kind = isIpc
    ? MULTIPLEXED.get(argument(0) & 0xffff)
    : (isCompat ? COMPAT : NATIVE).get(call)
  return kind && { kind, id: argument(isIpc ? 1 : 0) }
}

import { Errno } from '../../kernel/errno.ts'
import type { Registers } from './registers.ts'
import { Syscall } from './syscalls.ts'
import { Syscall32 } from './syscalls32.ts'
import { argumentOf, callOf, resultOf } from './timed-calls.ts'

/** Multiplexed calls of ipc(2), the first argument of it on i386 (linux/ipc.h). */
const IPC_SEMOP = 1n
const IPC_SEMTIMEDOP = 4n

/** Where a call has its timeout, and what stands there for none; undefined: it has no timeout. */
type Timeout = { readonly at: number; readonly none: 'null' | 'negative' } | undefined

const NATIVE = new Map<number, Timeout>([
  [Syscall.semop, undefined],
  [Syscall.semtimedop, { at: 3, none: 'null' }],
  [Syscall.epoll_wait, { at: 3, none: 'negative' }],
  [Syscall.epoll_pwait, { at: 3, none: 'negative' }],
  [Syscall.epoll_pwait2, { at: 3, none: 'null' }],
  [Syscall.rt_sigtimedwait, { at: 2, none: 'null' }],
  [Syscall.io_getevents, { at: 4, none: 'null' }],
])

const COMPAT = new Map<number, Timeout>([
  [Syscall32.semtimedop_time64, { at: 3, none: 'null' }],
  [Syscall32.epoll_wait, { at: 3, none: 'negative' }],
  [Syscall32.epoll_pwait, { at: 3, none: 'negative' }],
  [Syscall32.rt_sigtimedwait, { at: 2, none: 'null' }],
  [Syscall32.rt_sigtimedwait_time64, { at: 2, none: 'null' }],
])

/**
 * Some calls end with EINTR where no signal came but a tracer's interrupt (man 7 signal: semop,
 * epoll_wait, sigtimedwait …). Where such a call waits without a timeout it is as good to make it again:
 * its result becomes ERESTARTNOHAND, by which the kernel does that, or gives EINTR where a handler runs
 * indeed. One with a timeout keeps its EINTR, since it would wait its whole time once more.
 */
export function asRestartable(registers: Registers): Registers {
  if (resultOf(registers) !== -BigInt(Errno.EINTR) || !waitsForever(registers)) return registers
  return registers.with({ rax: -BigInt(Errno.ERESTARTNOHAND) })
}

function waitsForever(registers: Registers): boolean {
  const { isCompat } = registers
  const call = callOf(registers)
  if (isCompat && call === Syscall32.ipc) return isUntimedIpc(registers)
  const calls = isCompat ? COMPAT : NATIVE
  if (!calls.has(call)) return false
  const timeout = calls.get(call)
  if (!timeout) return true
  const value = argumentOf(registers, timeout.at)
  return timeout.none === 'null' ? value === 0n : BigInt.asIntN(32, value) < 0n
}

/** Its first argument has a version in the upper half; semtimedop's timeout is the last one. */
function isUntimedIpc(registers: Registers): boolean {
  const call = argumentOf(registers, 0) & 0xffffn
  return call === IPC_SEMOP || (call === IPC_SEMTIMEDOP && argumentOf(registers, 5) === 0n)
}

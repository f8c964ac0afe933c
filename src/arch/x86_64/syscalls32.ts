/**
 * Numbers of the few i386 system calls that 32-bit programs need made in their own ABI
 * (arch/x86/entry/syscalls/syscall_32.tbl): by `int 0x80`, which works from 64-bit code as well, with
 * arguments of 32 bits.
 */
export const Syscall32 = {
  restart_syscall: 0,
  ipc: 117,
  nanosleep: 162,
  poll: 168,
  rt_sigaction: 174,
  rt_sigtimedwait: 177,
  futex: 240,
  epoll_wait: 256,
  clock_nanosleep: 267,
  openat: 295,
  set_robust_list: 311,
  get_robust_list: 312,
  epoll_pwait: 319,
  msgsnd: 400,
  msgrcv: 401,
  clock_nanosleep_time64: 407,
  semtimedop_time64: 420,
  rt_sigtimedwait_time64: 421,
  futex_time64: 422,
} as const

export type Syscall32Name = keyof typeof Syscall32

/** Made when it is first asked: for logs and errors. */
let names: Map<number, Syscall32Name> | undefined

/** Name of an i386 call, undefined for a number that this table does not have. */
export function syscall32Name(number: number): Syscall32Name | undefined {
  names ??= new Map(Object.entries(Syscall32).map(([name, nr]) => [nr, name as Syscall32Name]))
  return names.get(number)
}

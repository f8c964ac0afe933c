import { Syscall, type SyscallName } from '../arch/x86_64/syscalls.ts'
import { type ErrorDetail, fail } from '../errors/error.ts'
import { Errno } from './errno.ts'
import { batch, spawn, syscall } from './ffi/index.ts'
import { scratch } from './memory.ts'
import type { Table } from './table.ts'
import { type LocalFd, localFd } from './types.ts'

type Context = Omit<Extract<ErrorDetail, { code: 'syscall' }>, 'code' | 'operation' | 'errno'>

/**
 * A system call of our own by name: its result, or −errno. One that a signal interrupted (the heartbeat
 * comes five times a second, heartbeat.ts) is made again.
 */
export function sys(name: SyscallName, ...args: (number | bigint)[]): number {
  for (;;) {
    const result = syscall(Syscall[name], ...args)
    if (result !== -Errno.EINTR) return result
  }
}

/** As {@link sys}, but an interrupted call gives −EINTR. */
export function sysOnce(name: SyscallName, ...args: (number | bigint)[]): number {
  return syscall(Syscall[name], ...args)
}

/** A result that must not be an error; what failed otherwise. */
export function checked(result: number, operation: string, context: Context = {}): number {
  if (result < 0 && result >= -4095)
    fail({ code: 'syscall', operation, errno: -result, ...context })
  return result
}

/** A system call of our own that must succeed. */
export function must(name: SyscallName, ...args: (number | bigint)[]): number {
  return checked(sys(name, ...args), name)
}

const AT_FDCWD = -100

/** open(2) of a path: the descriptor, or −errno. */
export function tryOpen(path: string, flags: number, mode = 0, at: number = AT_FDCWD): number {
  using s = scratch()
  return sys('openat', at, s.string(path), flags | O_CLOEXEC, mode)
}

const O_CLOEXEC = 0o2000000

/** open(2) that must succeed. The descriptor is close-on-exec. */
export function open(path: string, flags: number, mode = 0, at: number = AT_FDCWD): LocalFd {
  return localFd(checked(tryOpen(path, flags, mode, at), 'open', { path }))
}

/** close(2); an error is of no use to anybody. */
export function close(fd: number): void {
  sys('close', fd)
}

/** Runs a table in our own process. A call that fails ends it: see {@link Table.failure}. */
export function runLocally(table: Table): void {
  const { first, end } = table.range
  batch(first, end, table.base)
}

/** clone3 whose child runs `table`; `args` is a struct clone_args. The child's pid, or −errno. */
export function spawnTable(args: Uint8Array, table: Table): number {
  using s = scratch()
  const { first, end } = table.range
  return spawn(s.put(args).address, args.length, first, end, table.base)
}

/** A descriptor that closes at the end of its scope: `using fd = owned(open(…))`. */
export function owned(fd: number): { readonly fd: LocalFd } & Disposable {
  return { fd: localFd(fd), [Symbol.dispose]: () => close(fd) }
}

import { dlopen } from 'bun:ffi'

/** The C library: plugins are synchronous, and node has no synchronous sockets. */
export const libc = dlopen('libc.so.6', {
  socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
  connect: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
  syscall: { args: ['i64', 'ptr', 'i64', 'i64', 'i64', 'i64'], returns: 'i64' },
}).symbols

import type { Pointer } from 'bun:ffi'
import type { Backend } from './backend.ts'

// require, not import: a bundle for Node holds this file too, and must not look the module up.
const { CFunction, dlopen, FFIType, toArrayBuffer } = require('bun:ffi') as typeof import('bun:ffi')

const PROT_READ_WRITE_EXEC = 7
const MAP_PRIVATE_ANONYMOUS = 0x22

export const backend: Backend = {
  mapCode(length) {
    const libc = dlopen('libc.so.6', {
      mmap: { args: ['i64', 'i64', 'i32', 'i32', 'i32', 'i64'], returns: 'i64' },
    })
    return libc.symbols.mmap(0, length, PROT_READ_WRITE_EXEC, MAP_PRIVATE_ANONYMOUS, -1, 0)
  },
  view: (address, length) => toArrayBuffer(Number(address) as Pointer, 0, length),
  callable(address, arity) {
    const args = Array<'i64'>(arity).fill('i64')
    return CFunction({
      ptr: Number(address) as Pointer,
      args,
      returns: FFIType.i64_fast,
    }) as unknown as (...args: (number | bigint)[]) => number
  },
}

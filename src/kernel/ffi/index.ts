/**
 * The kernel boundary: three pieces of machine code, called through the FFI of the runtime that we
 * run on. Everything else in this program reaches the kernel through {@link syscall}, {@link batch}
 * and {@link spawn} (and node:fs for plain files). A fourth asks the CPU about itself, and a fifth makes
 * the few calls that the kernel has for 32-bit programs alone.
 */
import { CPUID_THUNK, type CpuidResult } from '../../arch/x86_64/cpuid.ts'
import { BATCH_THUNK, SPAWN_THUNK, SYSCALL_THUNK } from '../../arch/x86_64/syscall-loop.ts'
import { SYSCALL32_THUNK } from '../../arch/x86_64/syscall32-thunk.ts'
import type { Backend } from './backend.ts'

const CODE_SIZE = 4096
/** Bytes of scratch memory. */
export const ARENA_SIZE = 16 << 20

// require, not import: the other runtime's module must not even be looked up.
const backend: Backend = process.versions.bun
  ? (require('./bun.ts') as { backend: Backend }).backend
  : (require('./node.ts') as { backend: Backend }).backend

const codeAddress = backend.mapCode(CODE_SIZE + ARENA_SIZE)
const code = new Uint8Array(backend.view(codeAddress, CODE_SIZE))

type Callable = ReturnType<Backend['callable']>

function place(thunk: Uint8Array, offset: number, arity: number): Callable {
  code.set(thunk, offset)
  return backend.callable(codeAddress + BigInt(offset), arity)
}

const rawSyscall = place(SYSCALL_THUNK, 0, 7)
const rawBatch = place(BATCH_THUNK, 256, 3)
const CPUID_RESULT = 1088

// Not every job needs these.
let rawSpawn: Callable | undefined
let rawCpuid: Callable | undefined
let rawSyscall32: Callable | undefined

/** Scratch memory with a stable address; see memory.ts, which hands it out. */
export const arenaAddress = codeAddress + BigInt(CODE_SIZE)

/** A system call in our own process: its result, or −errno. Never throws. */
export function syscall(
  nr: number,
  a: number | bigint = 0,
  b: number | bigint = 0,
  c: number | bigint = 0,
  d: number | bigint = 0,
  e: number | bigint = 0,
  f: number | bigint = 0,
): number {
  return rawSyscall(nr, a, b, c, d, e, f)
}

/**
 * A system call of i386 in our own process: its result, or −errno. Addresses must be below 4 GiB. On a
 * kernel without IA32 emulation it kills us: only for tasks that run 32-bit code themselves.
 */
export function syscall32(nr: number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0): number {
  rawSyscall32 ??= place(SYSCALL32_THUNK, 1152, 7)
  return rawSyscall32(nr, a, b, c, d, e, f)
}

/**
 * Runs the records from `first` up to `end` in our own process; `base` is what references count from.
 * Returns the address of the record that failed, or `end`.
 */
export function batch(first: bigint, end: bigint, base: bigint): bigint {
  return BigInt(rawBatch(first, end, base))
}

/** clone3; the child runs the records, then exits with 1. Returns its pid, or −errno. */
export function spawn(
  cloneArgs: bigint,
  size: number,
  first: bigint,
  end: bigint,
  base: bigint,
): number {
  rawSpawn ??= place(SPAWN_THUNK, 512, 5)
  return rawSpawn(cloneArgs, size, first, end, base)
}

/** Memory of ours that was mapped since, as a buffer. */
export function view(address: bigint, length: number): ArrayBuffer {
  return backend.view(address, length)
}

/** What the CPU says of itself (the cpuid instruction; Intel SDM 2A, AMD APM 3). */
export function cpuid(leaf: number, subleaf = 0): CpuidResult {
  rawCpuid ??= place(CPUID_THUNK, 1024, 3)
  rawCpuid(leaf, subleaf, codeAddress + BigInt(CPUID_RESULT))
  const [eax, ebx, ecx, edx] = new Uint32Array(code.buffer, code.byteOffset + CPUID_RESULT, 4)
  return { eax: eax!, ebx: ebx!, ecx: ecx!, edx: edx! }
}

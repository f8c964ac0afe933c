import type { RegisterName, Registers } from './registers.ts'
import { Syscall } from './syscalls.ts'
import { Syscall32 } from './syscalls32.ts'

/** A call that waits for a time, and that the kernel goes on with through its restart block. */
export interface TimedCall {
  readonly kind: 'nanosleep' | 'clock_nanosleep' | 'poll' | 'futex'
  /** Bytes of each of the two words of its timespec; poll counts in milliseconds instead. */
  readonly word: 4 | 8
}

const NATIVE = new Map<number, TimedCall>([
  [Syscall.nanosleep, { kind: 'nanosleep', word: 8 }],
  [Syscall.clock_nanosleep, { kind: 'clock_nanosleep', word: 8 }],
  [Syscall.poll, { kind: 'poll', word: 8 }],
  [Syscall.futex, { kind: 'futex', word: 8 }],
])

const COMPAT = new Map<number, TimedCall>([
  [Syscall32.nanosleep, { kind: 'nanosleep', word: 4 }],
  [Syscall32.clock_nanosleep, { kind: 'clock_nanosleep', word: 4 }],
  [Syscall32.clock_nanosleep_time64, { kind: 'clock_nanosleep', word: 8 }],
  [Syscall32.poll, { kind: 'poll', word: 4 }],
  [Syscall32.futex, { kind: 'futex', word: 4 }],
  [Syscall32.futex_time64, { kind: 'futex', word: 8 }],
])

/** `compat`: the number is one of i386. */
export const timedCall = (nr: number, compat: boolean): TimedCall | undefined =>
  (compat ? COMPAT : NATIVE).get(nr)

/** The call by which the kernel goes on with an interrupted one of these. */
export const restartNumber = (compat: boolean): number =>
  compat ? Syscall32.restart_syscall : Syscall.restart_syscall

export type ArgumentRegister = Extract<
  RegisterName,
  'rdi' | 'rsi' | 'rdx' | 'r10' | 'r8' | 'r9' | 'rbx' | 'rcx' | 'rbp'
>

const NATIVE_ARGUMENTS = ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'] as const
const COMPAT_ARGUMENTS = ['rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp'] as const

/** The registers that hold a call's arguments, in order. */
export const argumentRegisters = (compat: boolean): readonly ArgumentRegister[] =>
  compat ? COMPAT_ARGUMENTS : NATIVE_ARGUMENTS

/** Argument number `index`, from 0, of the call that a thread is in. */
export function argumentOf(registers: Registers, index: number): bigint {
  const { isCompat } = registers
  return BigInt.asUintN(isCompat ? 32 : 64, registers.get(argumentRegisters(isCompat)[index]!))
}

/** The result of the call that a thread is in: of 32 bits in 32-bit code. */
export const resultOf = (registers: Registers): bigint =>
  BigInt.asIntN(registers.isCompat ? 32 : 64, registers.get('rax'))

/** The number of the call that a thread is in, −1 outside of one. */
export const callOf = (registers: Registers): number =>
  Number(BigInt.asIntN(registers.isCompat ? 32 : 64, registers.get('orig_rax')))

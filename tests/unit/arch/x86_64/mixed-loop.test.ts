import { expect, test } from 'bun:test'
import { INT80_AT, MIXED_LOOP, SYSCALL_AT } from '../../../../src/arch/x86_64/mixed-loop.ts'
import { SYSCALL32_THUNK } from '../../../../src/arch/x86_64/syscall32-thunk.ts'
import { syscall32 } from '../../../../src/kernel/ffi/index.ts'
import { assemble, hexOf, inBlockComments, sourceBetween } from './assembler.ts'

const lines = inBlockComments(sourceBetween('mixed-loop.ts', 'export const MIXED_LOOP =', '`,'))

test('the loop with calls of both ABIs is what its comments assemble to', () => {
  expect(lines.length).toBeGreaterThan(30)
  expect(hexOf(MIXED_LOOP)).toBe(assemble([...lines, 'done:']))
})

test('its two instructions for single calls stand where it is said', () => {
  expect(hexOf(MIXED_LOOP.subarray(SYSCALL_AT, SYSCALL_AT + 2))).toBe(assemble(['syscall']))
  expect(hexOf(MIXED_LOOP.subarray(INT80_AT, INT80_AT + 2))).toBe(assemble(['int 0x80']))
})

test('an i386 call as a C function: (nr, a0 … a5), the last one on the stack', () => {
  const thunk = inBlockComments(sourceBetween('syscall32-thunk.ts', 'SYSCALL32_THUNK', '`,'))
  expect(hexOf(SYSCALL32_THUNK)).toBe(assemble(thunk))
})

test('an i386 call of our own process tells its own number', () => {
  const GETPID = 20
  expect(syscall32(GETPID)).toBe(process.pid)
})

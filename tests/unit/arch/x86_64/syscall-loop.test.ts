import { expect, test } from 'bun:test'
import { CPUID_THUNK } from '../../../../src/arch/x86_64/cpuid.ts'
import {
  BATCH_THUNK,
  CONTROL,
  LOOP,
  SET_FLAGS_AND_CALL,
  SPAWN_THUNK,
  STOP_AND_GO_HOME,
  SYSCALL_THUNK,
} from '../../../../src/arch/x86_64/syscall-loop.ts'
import { assemble, hexOf, inBlockComments, sourceBetween } from './assembler.ts'

const commented = (file: string, name: string): string[] =>
  inBlockComments(sourceBetween(file, `export const ${name} =`, '`,'))

const loop = commented('syscall-loop.ts', 'LOOP')

test('the loop is what its comments assemble to', () => {
  expect(loop.length).toBeGreaterThan(20)
  expect(assemble([...loop, 'done:'])).toBe(hexOf(LOOP))
})

test('so are the stop and the way home', () => {
  const lines = commented('syscall-loop.ts', 'STOP_AND_GO_HOME')
  expect(lines).toHaveLength(6)
  expect(assemble(lines)).toBe(hexOf(STOP_AND_GO_HOME))
})

test('the fields of the control block stand where the code reads them', () => {
  const { tgid, tid, home, signal } = CONTROL
  const lines = [
    `mov edi,[r15+${tgid}]`,
    `mov esi,[r15+${tid}]`,
    `mov edx,[r15+${signal}]`,
    'mov eax,234',
    'syscall',
    `jmp [r15+${home}]`,
  ]
  expect(assemble(lines)).toBe(hexOf(STOP_AND_GO_HOME))
})

test('cpuid', () => {
  expect(assemble(commented('cpuid.ts', 'CPUID_THUNK'))).toBe(hexOf(CPUID_THUNK))
})

test('a system call as a C function: (nr, a0 … a5), the last one on the stack', () => {
  const lines = [
    'mov rax,rdi',
    'mov rdi,rsi',
    'mov rsi,rdx',
    'mov rdx,rcx',
    'mov r10,r8',
    'mov r8,r9',
    'mov r9,[rsp+8]',
    'syscall',
    'ret',
  ]
  expect(assemble(lines)).toBe(hexOf(SYSCALL_THUNK))
})

const save = ['push rbx', 'push r12', 'push r13', 'push r14']
const giveBack = ['pop r14', 'pop r13', 'pop r12', 'pop rbx', 'ret']

test('a batch as a C function: (first record, end, base)', () => {
  const lines = [
    ...save,
    'mov rbx,rdi',
    'mov r12,rsi',
    'mov r13,rdx',
    ...loop,
    'done:',
    'mov rax,rbx',
    ...giveBack,
  ]
  expect(assemble(lines)).toBe(hexOf(BATCH_THUNK))
})

test('clone3 as a C function: (clone_args, size, first record, end, base)', () => {
  const lines = [
    ...save,
    'mov rbx,rdx',
    'mov r12,rcx',
    'mov r13,r8',
    'mov eax,435',
    'syscall',
    'test eax,eax',
    'jz child',
    ...giveBack,
    'child:',
    ...loop,
    'done:',
    'mov edi,1',
    'mov eax,60',
    'syscall',
  ]
  expect(assemble(lines)).toBe(hexOf(SPAWN_THUNK))
})

test('flags are loaded in user mode, with a call behind', () => {
  expect(assemble(['popfq', 'syscall'])).toBe(hexOf(SET_FLAGS_AND_CALL))
})

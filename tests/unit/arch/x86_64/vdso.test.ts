import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { CPUID_THUNK } from '../../../../src/arch/x86_64/cpuid.ts'
import { JUMP_SIZE, jumpTo, vdsoFunctions } from '../../../../src/arch/x86_64/vdso.ts'
import { cpuid } from '../../../../src/kernel/ffi/index.ts'
import { hostPid } from '../../../../src/kernel/types.ts'
import { readKernelMappings } from '../../../../src/resources/memory/restore-vdso.ts'
import { assemble, hexOf, inBlockComments, sourceBetween } from './assembler.ts'

test('the cpuid function is what an assembler makes of its comments', () => {
  const comments = inBlockComments(sourceBetween('cpuid.ts', '53  ', '`,'))
  expect(hexOf(CPUID_THUNK)).toBe(assemble(comments))
})

test('the CPU tells its vendor', () => {
  const { ebx, ecx, edx } = cpuid(0)
  const name = Buffer.from(new Uint32Array([ebx, edx, ecx]).buffer).toString('latin1')
  expect(readFileSync('/proc/cpuinfo', 'latin1')).toContain(name)
})

test('a jump into the present vDSO is what an assembler makes of it', () => {
  const bytes = jumpTo(0x7fff_1234_5678n)
  expect(hexOf(bytes)).toBe(assemble(['movabs rax,0x7fff12345678', 'jmp rax']))
  expect(bytes.length).toBe(JUMP_SIZE)
})

test('the functions of our own vDSO are found', () => {
  const { vdso } = readKernelMappings(hostPid(process.pid))
  const functions = vdsoFunctions(vdso!.bytes)
  expect([...functions.keys()]).toContain('__vdso_clock_gettime')
  for (const offset of functions.values()) expect(offset).toBeLessThan(vdso!.bytes.length)
})

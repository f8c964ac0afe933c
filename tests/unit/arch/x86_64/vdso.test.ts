import { expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CPUID_THUNK } from '../../../../src/arch/x86_64/cpuid.ts'
import { stubElf32 } from '../../../../src/arch/x86_64/stub-elf32.ts'
import { isInVsyscall, jumpSize, jumpTo, vdsoFunctions } from '../../../../src/arch/x86_64/vdso.ts'
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
  const bytes = jumpTo(0x7fff_1234_5678n, 0n, false)
  expect(hexOf(bytes)).toBe(assemble(['movabs rax,0x7fff12345678', 'jmp rax']))
  expect(bytes.length).toBe(jumpSize(false))
})

test.each([0x5678_1000n, 0xf7f0_1000n])('one of 32 bits reaches %p', (target) => {
  const from = 0xf000_0620n
  const bytes = jumpTo(target, from, true)
  const distance = Number(BigInt.asIntN(32, target - from))
  expect(hexOf(bytes)).toBe(assemble([`jmp $${distance < 0 ? '' : '+'}${distance}`]))
  expect(bytes.length).toBe(jumpSize(true))
})

test('the functions of our own vDSO are found', () => {
  const { vdso } = readKernelMappings(hostPid(process.pid))
  const functions = vdsoFunctions(vdso!.bytes)
  expect([...functions.keys()]).toContain('__vdso_clock_gettime')
  for (const offset of functions.values()) expect(offset).toBeLessThan(vdso!.bytes.length)
})

test('the functions of a vDSO of 32 bits, and where its threads wait', () => {
  const directory = mkdtempSync(join(tmpdir(), 'criu-stub-'))
  const path = join(directory, 'stub')
  writeFileSync(path, stubElf32(), { mode: 0o700 })
  const child = Bun.spawn([path])
  try {
    // Until it has executed the stub it has the memory of ours, or none.
    let vdso = readKernelMappings(hostPid(child.pid)).vdso
    for (let tries = 0; vdso?.bytes[4] !== 1 && tries < 1000; tries++) {
      Bun.sleepSync(2)
      vdso = readKernelMappings(hostPid(child.pid)).vdso
    }
    const functions = vdsoFunctions(vdso!.bytes)
    const entry = functions.get('__kernel_vsyscall')!
    expect([...functions.keys()]).toContain('__kernel_rt_sigreturn')
    const call = Buffer.from(vdso!.bytes).indexOf(Buffer.from([0xcd, 0x80]), entry)
    expect([entry, call, call + 2].map((at) => isInVsyscall(vdso!.bytes, at))).toEqual([
      false,
      true,
      true,
    ])
  } finally {
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true })
  }
})

import { expect, test } from 'bun:test'
import { STUB_SYSCALL, stubElf } from '../../../../src/arch/x86_64/stub-elf.ts'
import { exitElf32, STUB32_SYSCALL, stubElf32 } from '../../../../src/arch/x86_64/stub-elf32.ts'
import { assemble, hexOf } from './assembler.ts'

test('the stub program waits for ever, and its system call stands where it is said', () => {
  const elf = stubElf()
  const code = assemble(
    ['back: mov eax,34', 'syscall', 'jmp back'].flatMap((l) => l.split(/(?<=:) /)),
  )
  expect(hexOf(elf)).toEndWith(code)
  const view = new DataView(elf.buffer)
  const entry = view.getBigUint64(24, true)
  const base = view.getBigUint64(64 + 16, true)
  expect(Number(entry - base)).toBe(elf.length - code.length / 2)
  expect(hexOf(elf.subarray(Number(STUB_SYSCALL - base), Number(STUB_SYSCALL - base) + 2))).toBe(
    assemble(['syscall']),
  )
})

test('the stub of 32 bits has a system call of 64-bit code behind its own loop', () => {
  const elf = stubElf32()
  const view = new DataView(elf.buffer)
  const entry = view.getUint32(24, true)
  const base = view.getUint32(52 + 8, true)
  const code = assemble(['back:', 'mov eax,29', 'int 0x80', 'jmp back', 'syscall'])
  expect(hexOf(elf.subarray(entry - base))).toBe(code)
  const at = Number(STUB32_SYSCALL) - base
  expect(hexOf(elf.subarray(at, at + 2))).toBe(assemble(['syscall']))
})

test('another program of 32 bits only ends', () => {
  const code = assemble(['mov eax,1', 'xor ebx,ebx', 'int 0x80'])
  expect(hexOf(exitElf32())).toEndWith(code)
})

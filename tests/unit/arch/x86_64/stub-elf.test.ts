import { expect, test } from 'bun:test'
import { STUB_SYSCALL, stubElf } from '../../../../src/arch/x86_64/stub-elf.ts'
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

import { STUB_BASE } from './stub-elf.ts'

/**
 * The stub of a program of 32 bits: executed, it makes the kernel give a process the address space, the
 * vDSO and the limits of such a program. Our own loop is 64-bit code in it all the same.
 */
const ELF_HEADER = 52
const PROGRAM_HEADER = 32
const PT_LOAD = 1
const PT_GNU_STACK = 0x6474e551
const PF_EXEC = 1
const PF_WRITE = 2
const PF_READ = 4
const HEADERS = ELF_HEADER + 2 * PROGRAM_HEADER

/** mov eax,29 (pause); int 0x80; jmp back; and a `syscall`, for 64-bit code. */
const CODE = [0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7, 0x0f, 0x05]
const SYSCALL_IN_CODE = 9

/** Address of the `syscall` instruction in it. */
export const STUB32_SYSCALL = BigInt(STUB_BASE + HEADERS + SYSCALL_IN_CODE)

/** mov eax,1 (exit); xor ebx,ebx; int 0x80. */
const EXIT_CODE = [0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80]

/** The stub as a file (man 5 elf). */
export const stubElf32 = (): Uint8Array => elf32(CODE)

/** A program of 32 bits that ends at once, with 0: does the kernel run such programs at all. */
export const exitElf32 = (): Uint8Array => elf32(EXIT_CODE)

function elf32(code: readonly number[]): Uint8Array {
  const size = HEADERS + code.length
  const image = new Uint8Array(size)
  const view = new DataView(image.buffer)
  // e_ident: magic, 32 bits, little endian, version 1.
  image.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1])
  view.setUint16(16, 2, true) // ET_EXEC
  view.setUint16(18, 3, true) // EM_386
  view.setUint32(20, 1, true)
  view.setUint32(24, STUB_BASE + HEADERS, true) // e_entry
  view.setUint32(28, ELF_HEADER, true) // e_phoff
  view.setUint16(40, ELF_HEADER, true)
  view.setUint16(42, PROGRAM_HEADER, true)
  view.setUint16(44, 2, true) // e_phnum
  programHeader(view, ELF_HEADER, PT_LOAD, PF_READ | PF_EXEC, STUB_BASE, size)
  // Without this one all readable memory would be executable (READ_IMPLIES_EXEC).
  programHeader(view, ELF_HEADER + PROGRAM_HEADER, PT_GNU_STACK, PF_READ | PF_WRITE, 0, 0)
  image.set(code, HEADERS)
  return image
}

function programHeader(
  view: DataView,
  at: number,
  type: number,
  flags: number,
  address: number,
  size: number,
): void {
  view.setUint32(at, type, true)
  view.setUint32(at + 8, address, true)
  view.setUint32(at + 12, address, true)
  view.setUint32(at + 16, size, true)
  view.setUint32(at + 20, size, true)
  view.setUint32(at + 24, flags, true)
  view.setUint32(at + 28, 4096, true)
}

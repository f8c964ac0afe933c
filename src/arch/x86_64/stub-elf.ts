/**
 * The program that a restored task is before it has memory of its own: a static ELF of one page that
 * only waits. It is executed once, in the first task; all others are cloned from that.
 */
const ELF_HEADER = 64
const PROGRAM_HEADER = 56
const PT_LOAD = 1
const PT_GNU_STACK = 0x6474e551
const PF_EXEC = 1
const PF_WRITE = 2
const PF_READ = 4

/** Above vm.mmap_min_addr, and below where any linker puts a program. */
export const STUB_BASE = 0x10000

/** mov eax,34 (pause); syscall; jmp back. Needs no stack and no memory. */
const CODE = [0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7]
const SYSCALL_IN_CODE = 5

/** Address of a `syscall` instruction in it: single calls are made there, before there is a loop. */
export const STUB_SYSCALL = BigInt(STUB_BASE + ELF_HEADER + 2 * PROGRAM_HEADER + SYSCALL_IN_CODE)

/** The whole file (man 5 elf). */
export function stubElf(): Uint8Array {
  const headers = ELF_HEADER + 2 * PROGRAM_HEADER
  const size = headers + CODE.length
  const image = new Uint8Array(size)
  const view = new DataView(image.buffer)
  // e_ident: magic, 64 bits, little endian, version 1.
  image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  view.setUint16(16, 2, true) // ET_EXEC
  view.setUint16(18, 62, true) // EM_X86_64
  view.setUint32(20, 1, true)
  view.setBigUint64(24, BigInt(STUB_BASE + headers), true) // e_entry
  view.setBigUint64(32, BigInt(ELF_HEADER), true) // e_phoff
  view.setUint16(52, ELF_HEADER, true)
  view.setUint16(54, PROGRAM_HEADER, true)
  view.setUint16(56, 2, true) // e_phnum
  programHeader(view, ELF_HEADER, PT_LOAD, PF_READ | PF_EXEC, STUB_BASE, size)
  // Without this one older kernels make all readable memory executable (READ_IMPLIES_EXEC).
  programHeader(view, ELF_HEADER + PROGRAM_HEADER, PT_GNU_STACK, PF_READ | PF_WRITE, 0, 0)
  image.set(CODE, headers)
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
  view.setUint32(at + 4, flags, true)
  view.setBigUint64(at + 16, BigInt(address), true)
  view.setBigUint64(at + 24, BigInt(address), true)
  view.setBigUint64(at + 32, BigInt(size), true)
  view.setBigUint64(at + 40, BigInt(size), true)
  view.setBigUint64(at + 48, 4096n, true)
}

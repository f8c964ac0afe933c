import { INT80_AT, MIXED_LOOP, SYSCALL_AT } from '../arch/x86_64/mixed-loop.ts'
import { CONTROL, SET_FLAGS_AND_CALL, STOP_AND_GO_HOME } from '../arch/x86_64/syscall-loop.ts'
import { fail } from '../errors/error.ts'
import { F } from '../kernel/constants/fcntl.ts'
import { MAP, MFD, PROT } from '../kernel/constants/mman.ts'
import { type Memory, memoryAt, scratch } from '../kernel/memory.ts'
import { close, must, sys } from '../kernel/sys.ts'
import { Table } from '../kernel/table.ts'
import type { LocalFd } from '../kernel/types.ts'

const PAGE = 4096
const CODE_SIZE = PAGE
/** Behind the loop and its end. */
const SET_FLAGS_AT = MIXED_LOOP.length + STOP_AND_GO_HOME.length
/** Room where the vDSO waits while all else of a task is unmapped. */
const PARK_SIZE = 64 * PAGE

/** A part of the arena: a control block, then a table. */
export interface Slice {
  readonly control: bigint
  readonly table: Table
}

/**
 * Memory that we share with every task of a restore, at the same address in all of them: the loop's
 * code, and for each thread a slice with its table. A file of memory mapped in us and, inherited
 * through clone, in the tasks, so that no table has to be copied.
 *
 *     address  code | slice | slice | …   then, not mapped:   park
 */
export class StubArena implements Disposable {
  readonly fd: LocalFd
  /** Bytes that a task maps. */
  readonly size: number
  readonly #memory: Memory
  #address: bigint | undefined
  #used = CODE_SIZE

  /** `number`: the lowest descriptor that the file may have, above all that tasks need. */
  constructor(size: number, number: number) {
    this.size = Math.ceil((size + CODE_SIZE) / PAGE) * PAGE
    this.fd = memoryFile('arena', number)
    must('ftruncate', this.fd, this.size)
    const at = must('mmap', 0, this.size, PROT.READ | PROT.WRITE, MAP.SHARED, this.fd, 0)
    this.#memory = memoryAt(BigInt(at), this.size)
    this.#memory.bytes.set(MIXED_LOOP)
    this.#memory.bytes.set(STOP_AND_GO_HOME, MIXED_LOOP.length)
    this.#memory.bytes.set(SET_FLAGS_AND_CALL, SET_FLAGS_AT)
  }

  /** Bytes of address space that it needs free in every task, before and after. */
  get span(): number {
    return this.size + PARK_SIZE
  }

  /** Where it is in the tasks; the loop's code is at its start. */
  get address(): bigint {
    return this.#address ?? fail({ code: 'internal', reason: 'the arena has no address yet' })
  }

  set address(address: bigint) {
    this.#address = address
  }

  /** Address of a `syscall` instruction in the loop, for single calls. */
  get syscallInstruction(): bigint {
    return this.address + BigInt(SYSCALL_AT)
  }

  /** Address of a `popfq` with a `syscall` behind it. */
  get flagsInstruction(): bigint {
    return this.address + BigInt(SET_FLAGS_AT)
  }

  /** As syscallInstruction, an `int 0x80`, for calls of i386. */
  get int80Instruction(): bigint {
    return this.address + BigInt(INT80_AT)
  }

  get park(): bigint {
    return this.address + BigInt(this.size)
  }

  get end(): bigint {
    return this.address + BigInt(this.span)
  }

  /** A part of `size` bytes for one thread, for good. */
  slice(size: number): Slice {
    const at = this.#used
    if (at + size > this.size) fail({ code: 'internal', reason: 'the arena is used up' })
    this.#used += Math.ceil(size / PAGE) * PAGE
    const { bytes, view, address } = this.#memory
    const start = at + CONTROL.size + 8
    const length = size - CONTROL.size - 8
    const memory = {
      address: (address + BigInt(start)) as Memory['address'],
      bytes: bytes.subarray(start, start + length),
      view: new DataView(view.buffer, view.byteOffset + start, length),
    }
    return {
      control: this.address + BigInt(at),
      table: new Table(memory, this.address + BigInt(start), true),
    }
  }

  /** Writes bytes at an address of the tasks. */
  write(address: bigint, bytes: Uint8Array): void {
    this.#memory.bytes.set(bytes, Number(address - this.address))
  }

  [Symbol.dispose](): void {
    sys('munmap', this.#memory.address, this.size)
    close(this.fd)
  }
}

/** A memfd at a number not below `number`, close-on-exec. */
export function memoryFile(name: string, number: number): LocalFd {
  using s = scratch()
  const text = s.string(name)
  // MFD_EXEC is unknown before Linux 6.3, and needed where vm.memfd_noexec is set.
  let fd = sys('memfd_create', text, MFD.CLOEXEC | MFD.EXEC)
  if (fd < 0) fd = must('memfd_create', text, MFD.CLOEXEC)
  const high = must('fcntl', fd, F.DUPFD_CLOEXEC, number)
  close(fd)
  return high as LocalFd
}

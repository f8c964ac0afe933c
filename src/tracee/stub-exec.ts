import { STUB_SYSCALL, stubElf } from '../arch/x86_64/stub-elf.ts'
import { STUB32_SYSCALL, stubElf32 } from '../arch/x86_64/stub-elf32.ts'
import { AT } from '../kernel/constants/fcntl.ts'
import { MREMAP } from '../kernel/constants/mman.ts'
import { scratch } from '../kernel/memory.ts'
import { type Mapping, readMaps } from '../kernel/proc/maps.ts'
import { checked, must } from '../kernel/sys.ts'
import type { Table } from '../kernel/table.ts'
import { type HostPid, type LocalFd, traceeAddr } from '../kernel/types.ts'
import { findHole } from './hole.ts'
import { mapArena, singleCall } from './stub.ts'
import { memoryFile, type StubArena } from './stub-arena.ts'

/** Descriptors of the stub programs, which tasks inherit. */
export interface StubPrograms {
  readonly native: LocalFd
  readonly compat: LocalFd
}

/** `number`: the lowest descriptor that they may have, above all that tasks need. */
export function makeStubPrograms(number: number): StubPrograms {
  return { native: program(stubElf(), number), compat: program(stubElf32(), number) }
}

function program(image: Uint8Array, number: number): LocalFd {
  using s = scratch()
  const fd = memoryFile('criu', number)
  must('write', fd, s.put(image).address, image.length)
  return fd
}

/**
 * Makes a stub one of the other width, of 32 bits or of 64: a program's width belongs to its address
 * space, and only exec changes it. Pid, session, descriptors and tracer stay. `table` is one of the
 * stub's own; the stub is in any stop, and is left in that of a call's exit.
 */
export function changeWidth(
  pid: HostPid,
  arena: StubArena,
  table: Table,
  programs: StubPrograms,
  compat: boolean,
): void {
  const argv = table.space(16)
  argv.view.setBigUint64(0, table.string('criu').address, true)
  const fd = compat ? programs.compat : programs.native
  const addresses = [table.string(''), argv, table.space(8)].map(({ address }) => address)
  const args = [BigInt(fd), ...addresses, BigInt(AT.EMPTY_PATH)]
  const what = compat ? 'execveat of a 32-bit stub' : 'execveat of a 64-bit stub'
  checked(singleCall(pid, arena.syscallInstruction, 'execveat', args), what, { pid })
  const instruction = compat ? STUB32_SYSCALL : STUB_SYSCALL
  makeRoom(pid, arena, instruction)
  mapArena(pid, arena, instruction)
}

const isKernels = ({ path }: Mapping): boolean => path === '[vdso]' || path.startsWith('[vvar')

/** What the exec has put at the arena's place: the kernel's mappings are moved, a stack goes. */
function makeRoom(pid: HostPid, arena: StubArena, instruction: bigint): void {
  const maps = readMaps(`/proc/${pid}`)
  const clashing = maps.filter(({ start, end }) => start < arena.end && end > arena.address)
  for (const mapping of clashing.filter((one) => !isKernels(one))) {
    const args = [mapping.start, mapping.end - mapping.start]
    checked(singleCall(pid, instruction, 'munmap', args), 'munmap of a stack', { pid })
  }
  if (!clashing.some(isKernels)) return
  const kernels = maps.filter(isKernels)
  const from = kernels[0]!.start
  const taken = [...maps, { start: traceeAddr(arena.address), end: traceeAddr(arena.end) }]
  taken.sort((a, b) => (a.start < b.start ? -1 : 1))
  const to = findHole(taken, Number(kernels.at(-1)!.end - from))
  const flags = BigInt(MREMAP.MAYMOVE | MREMAP.FIXED)
  for (const { start, end } of kernels) {
    const size = end - start
    const args = [start, size, size, flags, to + (start - from)]
    checked(singleCall(pid, instruction, 'mremap', args), 'mremap of the vDSO', { pid })
  }
}

import { PTRACE } from './constants/ptrace.ts'
import type { StructValue } from './layout/layout.ts'
import { userDesc } from './layout/registers.ts'
import { scratch } from './memory.ts'
import { mustPtrace, ptrace } from './ptrace.ts'
import type { HostPid } from './types.ts'

/** The entries of the global descriptor table that each thread has its own of (asm/segment.h). */
const ENTRIES = [12, 13, 14] as const

/** struct user_desc with its bits apart (asm/ldt.h); fields as images have them. */
export interface ThreadArea {
  readonly entry_number: number
  readonly base_addr: number
  readonly limit: number
  readonly seg_32bit: boolean
  readonly contents_l: boolean
  readonly contents_h: boolean
  readonly read_exec_only: boolean
  readonly limit_in_pages: boolean
  readonly seg_not_present: boolean
  readonly usable: boolean
}

const BITS = [
  'seg_32bit',
  'contents_l',
  'contents_h',
  'read_exec_only',
  'limit_in_pages',
  'seg_not_present',
  'usable',
] as const

/**
 * The segments of a stopped thread; one that is not in use is `seg_not_present`. Empty where the kernel
 * has no such entries (without IA32 emulation). One by one: the register set of all (NT_386_TLS) is
 * there for threads in 32-bit code only, and 64-bit programs may have segments too.
 */
export function getThreadAreas(tid: HostPid): ThreadArea[] {
  using s = scratch()
  const memory = s.take(userDesc.size)
  const areas: ThreadArea[] = []
  for (const entry of ENTRIES) {
    if (ptrace(PTRACE.GET_THREAD_AREA, tid, entry, memory.address) < 0) return []
    areas.push(toArea(userDesc.decode(memory.bytes)))
  }
  return areas
}

function toArea({ flags, ...numbers }: StructValue<typeof userDesc>): ThreadArea {
  return {
    ...numbers,
    seg_32bit: (flags & 1) !== 0,
    contents_l: (flags & 2) !== 0,
    contents_h: (flags & 4) !== 0,
    read_exec_only: (flags & 8) !== 0,
    limit_in_pages: (flags & 16) !== 0,
    seg_not_present: (flags & 32) !== 0,
    usable: (flags & 64) !== 0,
  }
}

/** The same as it was; a segment that was not in use is left alone. */
export function setThreadArea(tid: HostPid, area: ThreadArea): void {
  if (area.seg_not_present && area.base_addr === 0 && area.limit === 0) return
  using s = scratch()
  const { entry_number, base_addr, limit } = area
  const flags = BITS.reduce((sum, name, i) => sum | (Number(area[name]) << i), 0)
  const at = s.put(userDesc.encode({ entry_number, base_addr, limit, flags })).address
  const { SET_THREAD_AREA } = PTRACE
  mustPtrace('ptrace(SET_THREAD_AREA)', SET_THREAD_AREA, tid, entry_number, at)
}

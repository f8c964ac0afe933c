import { Syscall32 } from '../arch/x86_64/syscalls32.ts'
import { MAP, PROT } from './constants/mman.ts'
import { syscall32 } from './ffi/index.ts'
import { memoryAt, scratch } from './memory.ts'
import { checked, must, sys } from './sys.ts'
import type { HostPid } from './types.ts'

const PAGE = 4096

/** Where a thread's list of robust futexes begins, and the size of its head: the ABI's own. */
export interface RobustList {
  readonly head: bigint
  readonly length: number
}

/** get_robust_list(2). */
export function robustList(tid: HostPid): RobustList {
  using s = scratch()
  const head = s.take(8)
  const length = s.take(8)
  must('get_robust_list', tid, head.address, length.address)
  return {
    head: head.view.getBigUint64(0, true),
    length: Number(length.view.getBigUint64(0, true)),
  }
}

/** A thread has one more in the ABI of 32 bits, which only calls of that ABI tell of and set. */
export function robustList32(tid: HostPid): RobustList {
  const flags = MAP.PRIVATE | MAP.ANONYMOUS | MAP['32BIT']
  const address = must('mmap', 0, PAGE, PROT.READ | PROT.WRITE, flags, -1, 0)
  try {
    const { view } = memoryAt(BigInt(address), PAGE)
    const result = syscall32(Syscall32.get_robust_list, tid, address, address + 4)
    checked(result, 'get_robust_list (i386)', { pid: tid })
    return { head: BigInt(view.getUint32(0, true)), length: view.getUint32(4, true) }
  } finally {
    sys('munmap', address, PAGE)
  }
}

import { RLIMIT } from '../kernel/constants/resource.ts'
import { rlimit64 } from '../kernel/layout/sched.ts'
import { scratch } from '../kernel/memory.ts'
import { must, sys } from '../kernel/sys.ts'

/** As many descriptors as we may have: all files of all tasks are open in us at once. */
export function raiseFileLimit(): void {
  using s = scratch()
  const memory = s.take(rlimit64.size)
  must('prlimit64', 0, RLIMIT.NOFILE, 0, memory.address)
  const { rlim_max } = rlimit64.decode(memory.bytes)
  memory.bytes.set(rlimit64.encode({ rlim_cur: rlim_max, rlim_max }))
  sys('prlimit64', 0, RLIMIT.NOFILE, memory.address, 0)
}

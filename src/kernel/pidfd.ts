import { PIDFD_GET, PIDFD_INFO } from './constants/pidfd.ts'
import { pidfdInfo } from './layout/sched.ts'
import { scratch } from './memory.ts'
import { sys } from './sys.ts'
import type { LocalFd } from './types.ts'

/** How a process ended that is reaped already, as wait(2) told it; undefined: the kernel does not say. */
export function tryEndOf(pidfd: LocalFd): number | undefined {
  using s = scratch()
  const memory = s.put(pidfdInfo.encode({ mask: BigInt(PIDFD_INFO.EXIT) }))
  if (sys('ioctl', pidfd, PIDFD_GET.INFO, memory.address) < 0) return undefined
  const { mask, exit_code } = pidfdInfo.read(memory.view, 0)
  return Number(mask) & PIDFD_INFO.EXIT ? exit_code : undefined
}

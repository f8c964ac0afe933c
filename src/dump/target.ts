import { fail } from '../errors/error.ts'
import { displayPath } from '../kernel/proc/bytes.ts'
import { tryReadStat } from '../kernel/proc/stat.ts'
import { tryReadStatus } from '../kernel/proc/status.ts'
import type { HostPid } from '../kernel/types.ts'

/** Flag of /proc/PID/stat (linux/sched.h): a thread of the kernel. */
const PF_KTHREAD = 0x0020_0000

/**
 * Refuses, before it is touched, a root that cannot be dumped: nothing there, a thread, a part of the
 * kernel, and all whose stop would stop ourselves.
 */
export function checkTarget(root: HostPid): void {
  const stat = tryReadStat(`/proc/${root}`) ?? gone(root, 'no such process')
  const status = tryReadStatus(`/proc/${root}`) ?? gone(root, 'no such process')
  const comm = displayPath(stat.comm)
  if (status.tgid !== root)
    refuse(`names a thread of process ${status.tgid} (${comm})`, `give -t ${status.tgid}`)
  if (stat.flags & PF_KTHREAD) refuse(`names ${comm} (pid ${root}), a thread of the kernel`)
  if (status.state === 'Z') gone(root, 'it is a zombie')
  if (root === 1) refuse('names the init of this pid namespace, whose end would be the end of criu')
  for (let pid = process.pid; pid > 0; pid = tryReadStat(`/proc/${pid}`)?.ppid ?? 0)
    if (pid === root)
      refuse(
        `names ${comm} (pid ${root}), ${pid === process.pid ? 'criu itself' : 'from which criu was started'}`,
        'start criu from outside of the tree',
      )
}

const gone = (pid: HostPid, reason: string): never => fail({ code: 'vanished', pid, reason })

const refuse = (reason: string, remedy?: string): never =>
  fail({ code: 'option', option: '--tree', reason, ...(remedy ? { remedy } : {}) })

import { fail } from '../errors/error.ts'
import { displayPath } from '../kernel/proc/bytes.ts'
import { tryReadStatus } from '../kernel/proc/status.ts'
import type { NsPid } from '../kernel/types.ts'

/**
 * Says who holds a pid that a task must have. Threads have an entry in /proc as well, though no
 * listing shows it.
 */
export function failPidTaken(pid: NsPid): never {
  const holder = tryReadStatus(`/proc/${pid}`)
  if (!holder)
    return fail({
      code: 'conflict',
      pid,
      reason: `pid ${pid} is taken, by a process group or session or by a process that just ended`,
      remedy: 'try again, or restore in another pid namespace',
    })
  const name = displayPath(holder.name)
  if (holder.state === 'Z')
    return fail({
      code: 'conflict',
      pid,
      reason: `pid ${pid} is taken: ${name} has ended, but its parent ${holder.ppid} has not waited for it`,
      remedy: `wait until process ${holder.ppid} does, or end that process`,
    })
  const what = holder.tgid === pid ? name : `a thread of process ${holder.tgid} (${name})`
  return fail({
    code: 'conflict',
    pid,
    reason: `pid ${pid} is taken by ${what}`,
    remedy: `end process ${holder.tgid}, or restore in another pid namespace`,
  })
}

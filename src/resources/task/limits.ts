import { fail } from '../../errors/error.ts'
import { CAP, hasCap } from '../../kernel/constants/capability.ts'
import { LIMIT_NAMES } from '../../kernel/constants/resource.ts'
import { rlimit64 } from '../../kernel/layout/index.ts'
import { RLIM_INFINITY, readLimits } from '../../kernel/proc/limits.ts'
import { readStatus } from '../../kernel/proc/status.ts'
import type { TaskAspect } from '../contract.ts'

/**
 * Resource limits. They come late, since a restore itself opens, maps and forks; and before the
 * credentials, since only they may be in the way of a soft limit's change no more.
 */
export const limits: TaskAspect = {
  name: 'limits',

  // Not prlimit: on a task of another uid it wants CAP_SYS_RESOURCE.
  collect(task) {
    const entries = readLimits(task.proc).map(({ soft, hard }) => ({ cur: soft, max: hard }))
    task.core.rlimits = { rlimits: entries }
  },

  placeProcess(task) {
    const wanted = task.core.tc?.rlimits?.rlimits ?? []
    if (hasCap(readStatus('/proc/self').caps.effective, CAP.SYS_RESOURCE)) return
    const ours = readLimits('/proc/self')
    for (const [i, { max }] of wanted.entries()) {
      const own = ours[i]
      if (own === undefined || max <= own.hard) continue
      fail({
        code: 'conflict',
        pid: task.nsPid,
        reason: `its hard limit RLIMIT_${LIMIT_NAMES[i]} of ${text(max)} is above ours of ${text(own.hard)}`,
        remedy: 'raise the limit (ulimit -H) before the restore, or run it with CAP_SYS_RESOURCE',
      })
    }
  },

  finishThread(task, thread, table) {
    // The last thread: until then others queue signals, which a limit counts.
    if (thread !== task.threads.at(-1)) return
    const wanted = task.core.tc?.rlimits?.rlimits ?? []
    for (const [resource, { cur, max }] of wanted.entries()) {
      const limit = rlimit64.encode({ rlim_cur: cur, rlim_max: max })
      table.call('prlimit64', 0, resource, table.data(limit), 0)
    }
  },
}

const text = (value: bigint): string => (value === RLIM_INFINITY ? 'unlimited' : `${value}`)

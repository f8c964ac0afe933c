import { listNumbers, tryListNumbers, tryReadProcLink } from '../../kernel/proc/read.ts'
import { tryStat } from '../../kernel/stat.ts'

/** A queue as descriptors lead to it. */
export interface QueueIdentity {
  readonly dev: bigint
  readonly ino: bigint
  /** Without the leading slash. */
  readonly name: string
}

/**
 * Living processes, other than those of `tree` and ourselves, that have a queue open: one for each queue,
 * by `dev:ino`. Links are read of all processes, once for all queues; only what has the name is looked at.
 */
export function outsideUsers(
  queues: readonly QueueIdentity[],
  tree: ReadonlySet<number>,
): Map<string, number> {
  const users = new Map<string, number>()
  const names = new Set(queues.map(({ name }) => name))
  const wanted = new Set(queues.map(({ dev, ino }) => `${dev}:${ino}`))
  for (const pid of listNumbers('/proc')) {
    if (tree.has(pid) || pid === process.pid) continue
    for (const fd of tryListNumbers(`/proc/${pid}/fd`) ?? []) {
      const path = `/proc/${pid}/fd/${fd}`
      const text = tryReadProcLink(path)?.replace(/ \(deleted\)$/, '')
      if (!text || !names.has(text.slice(text.lastIndexOf('/') + 1))) continue
      const stat = tryStat(path)
      const key = stat && `${stat.dev}:${stat.ino}`
      if (key !== undefined && wanted.has(key)) users.set(key, pid)
    }
  }
  return users
}

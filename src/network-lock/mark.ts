import { tryReadProcLink } from '../kernel/proc/read.ts'
import { tryReadStat } from '../kernel/proc/stat.ts'
import { type HostPid, hostPid } from '../kernel/types.ts'

/** A process, told from a later one of the same pid by its start (clock ticks since the boot). */
interface ProcessMark {
  readonly pid: HostPid
  readonly start: bigint
}

/** What a lock's rules carry, so that one which outlived its job is found: whose it is. */
export interface LockMark {
  /** Root of the locked tree. */
  readonly tree: ProcessMark
  /** The criu that made the lock. */
  readonly job: ProcessMark
  /** Inode of the pid namespace that both pids are of. */
  readonly pidNamespace: string
}

/** The mark of a lock that we make for a tree. */
export function makeMark(root: HostPid): LockMark {
  return {
    tree: { pid: root, start: startOf(root) ?? 0n },
    job: { pid: hostPid(process.pid), start: startOf(hostPid(process.pid)) ?? 0n },
    pidNamespace: ownPidNamespace(),
  }
}

/**
 * Did this lock outlive its job? Its tree lives on, so that no restore is to come, and nobody is
 * dumping it any more: that criu was killed. A tree that is gone was dumped, and waits locked for its
 * restore. Of processes that we do not see (another pid namespace) nothing can be told.
 */
export function isStale(mark: LockMark): boolean {
  return mark.pidNamespace === ownPidNamespace() && isAlive(mark.tree) && !isAlive(mark.job)
}

/** At most 127 characters, as a comment in nft may have. */
export function markText({ tree, job, pidNamespace }: LockMark): string {
  return `criu ${job.pid}@${job.start} locks tree ${tree.pid}@${tree.start} pidns ${pidNamespace}`
}

const form = /criu (\d+)@(\d+) locks tree (\d+)@(\d+) pidns (\d+)/

/** Undefined where it is none of ours: upstream's, or a user's own. */
export function parseMark(text: string): LockMark | undefined {
  const match = form.exec(text)
  if (!match) return undefined
  const [, jobPid, jobStart, treePid, treeStart, pidNamespace] = match
  return {
    tree: { pid: hostPid(Number(treePid)), start: BigInt(treeStart!) },
    job: { pid: hostPid(Number(jobPid)), start: BigInt(jobStart!) },
    pidNamespace: pidNamespace!,
  }
}

function isAlive({ pid, start }: ProcessMark): boolean {
  const stat = tryReadStat(`/proc/${pid}`)
  return stat !== undefined && stat.starttime === start && !'ZX'.includes(stat.state)
}

const startOf = (pid: HostPid): bigint | undefined => tryReadStat(`/proc/${pid}`)?.starttime

const ownPidNamespace = (): string =>
  /\d+/.exec(tryReadProcLink('/proc/self/ns/pid') ?? '')?.[0] ?? '0'

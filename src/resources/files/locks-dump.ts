import { F_LOCK, O } from '../../kernel/constants/fcntl.ts'
import { KCMP } from '../../kernel/constants/kcmp.ts'
import { Errno } from '../../kernel/errno.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import type { LockLine } from '../../kernel/proc/locks.ts'
import { tryReadStat } from '../../kernel/proc/stat.ts'
import { listPids, tryListFds } from '../../kernel/proc/tasks.ts'
import { close, sys, tryOpen } from '../../kernel/sys.ts'
import type { DumpContext, DumpTask, FdProbe, FoundDescriptor } from '../dump-model.ts'
import { BREAKING, describeLock, LOCK_KIND, type LockEntry, withTypeBefore } from './lock-entry.ts'
import { refuseFile } from './refuse.ts'

/**
 * Locks of files, as fdinfo shows them: under each descriptor those that were made through its open
 * file description, of POSIX locks those of this very table of descriptors. A POSIX lock belongs to
 * the table and to the process that made it; any other one to the description, however many processes
 * have it.
 */

const kinds = new Map<string, number>([
  ['POSIX', LOCK_KIND.POSIX],
  ['FLOCK', LOCK_KIND.FLOCK],
  ['OFDLCK', LOCK_KIND.OFD],
  ['LEASE', LOCK_KIND.LEASE],
])

const types = new Map<string, number>([
  ['READ', F_LOCK.RDLCK],
  ['WRITE', F_LOCK.WRLCK],
  ['UNLCK', F_LOCK.UNLCK],
])

/** A lock, and every descriptor that it was seen under. */
interface FoundLock {
  readonly line: LockLine
  readonly flag: number
  readonly type: number
  readonly seen: FdProbe[]
  /** Those of them that a task has. */
  readonly open: FdProbe[]
}

/**
 * Writes filelocks.img, or refuses what it could not hold. `held` are descriptions that no task has
 * open: they are in the queue of a socket.
 */
export function dumpLocks(dump: DumpContext, held: readonly FoundDescriptor[]): void {
  const entries = findLocks(dump, held).flatMap((lock) => {
    const entry = toEntry(lock, dump)
    return isAllowed(lock, entry, dump) ? [entry] : []
  })
  if (entries.length > 0) dump.images.write('filelocks', entries)
}

function findLocks(dump: DumpContext, held: readonly FoundDescriptor[]): FoundLock[] {
  const locks = new Map<string, FoundLock>()
  const isHeld = new Set(held)
  for (const found of [...dump.files.descriptors, ...held]) {
    const { probe, id } = found
    for (const line of probe.info.locks) {
      const flag = kinds.get(line.kind)
      const type = types.get(line.type)
      if (flag === undefined || type === undefined) {
        refuseFile(dump, probe, `file lock of a kind that is not known (${line.kind} ${line.type})`)
        continue
      }
      const owner = flag === LOCK_KIND.POSIX ? `table ${probe.task.ids.files_id}` : ''
      const key = `${id} ${owner} ${flag} ${line.start} ${line.end}`
      const lock = locks.get(key) ?? { line, flag, type, seen: [], open: [] }
      locks.set(key, lock)
      lock.seen.push(probe)
      if (!isHeld.has(found)) lock.open.push(probe)
    }
  }
  return [...locks.values()]
}

function toEntry(lock: FoundLock, dump: DumpContext): LockEntry {
  const { line, flag, type } = lock
  const { task, probe } = holder(lock, dump)
  const isBreaking = flag === LOCK_KIND.LEASE && line.mode === 'BREAKING'
  const entry: LockEntry = {
    flag,
    type: isBreaking ? BREAKING | type : type,
    pid: task.nsPid,
    fd: probe.fd!,
    start: line.start,
    len: line.end === undefined ? 0n : line.end - line.start + 1n,
  }
  return isBreaking ? withTypeBefore(entry, typeOfBreaking(entry, probe), probe.flags) : entry
}

/** Who takes it again: the process that took it, if it is there; else one that has it. */
function holder(
  { line, flag, seen, open }: FoundLock,
  dump: DumpContext,
): { task: DumpTask; probe: FdProbe } {
  const probe = open.find(({ task }) => task.pid === line.pid) ?? open[0] ?? seen[0]!
  if (flag !== LOCK_KIND.POSIX) return { task: probe.task, probe }
  // Of processes that share a table of descriptors only one was looked at.
  const owner = dump.tasks.find(
    ({ pid, ids }) => pid === line.pid && ids.files_id === probe.task.ids.files_id,
  )
  return { task: owner ?? probe.task, probe }
}

/**
 * A write lease whose holder is to give it up keeps readers waiting, a read lease does not. Opening for
 * reading tells which it is, and changes nothing: it is being broken already.
 */
function typeOfBreaking(entry: LockEntry, probe: FdProbe): number {
  if ((entry.type & ~BREAKING) === F_LOCK.RDLCK) return F_LOCK.WRLCK
  if ((probe.flags & O.ACCMODE) !== O.RDONLY) return F_LOCK.WRLCK // others cannot have a read lease
  const fd = tryOpen(`/proc/self/fd/${probe.local}`, O.RDONLY | O.NONBLOCK)
  if (fd >= 0) close(fd)
  return fd === -Errno.EAGAIN ? F_LOCK.WRLCK : F_LOCK.RDLCK
}

function isAllowed(lock: FoundLock, entry: LockEntry, dump: DumpContext): boolean {
  const probe = lock.seen[0]!
  const what = describeLock(entry)
  const refuse = (why: string, remedy: string, option?: string): false => {
    refuseFile(dump, probe, `${what}${why}`, remedy, option)
    return false
  }
  if (!dump.options.fileLocks)
    return refuse('', 'use --file-locks, or release it first', '--file-locks')
  if (lock.open.length === 0)
    return refuse(' of a file that only a message holds', 'have the program receive it first')
  const outside = outsideHolder(lock, dump)
  if (outside !== undefined)
    return refuse(
      `, which process ${outside} outside of the tree holds as well`,
      'dump a tree that holds both, or end that process first',
    )
  if (isMappedLease(entry, probe, dump))
    return refuse(
      ' of a file that is mapped as well',
      'have the program give the lease up, or unmap the file first',
    )
  return true
}

/**
 * A process outside of the tree that has the locked description open. Looked for where the tree did not
 * take the lock itself: its process is told by pid; or it has ended, as that of
 * `flock 9` in a shell; or, of an open file description lock, nobody is told.
 */
function outsideHolder({ line, flag, seen }: FoundLock, dump: DumpContext): string | undefined {
  if (flag === LOCK_KIND.POSIX) return undefined
  const known = new Set<number>([process.pid, ...dump.tasks.map(({ pid }) => pid)])
  if (known.has(line.pid)) return undefined
  const { local } = seen[0]!
  const has = (pid: number): boolean =>
    (tryListFds(`/proc/${pid}`) ?? []).some(
      (fd) => sys('kcmp', pid, process.pid, KCMP.FILE, fd, local) === 0,
    )
  const pid = listPids('/proc').find((one) => !known.has(one) && has(one))
  if (pid === undefined) return undefined
  return `${pid} (${displayPath(tryReadStat(`/proc/${pid}`)?.comm ?? '')})`
}

/**
 * A write lease needs that nobody else has the file open. A mapping holds the description that it was
 * made through, which on restore is one of its own.
 */
function isMappedLease({ flag, type }: LockEntry, { stat }: FdProbe, dump: DumpContext): boolean {
  const isWrite = flag === LOCK_KIND.LEASE && (type & ~BREAKING) === F_LOCK.WRLCK
  const isFile = ({ inode, dev }: DumpTask['maps'][number]): boolean =>
    inode === stat.ino && BigInt(dev) === stat.dev
  return isWrite && dump.tasks.some(({ maps }) => maps.some(isFile))
}

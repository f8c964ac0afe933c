import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { F, F_LOCK, LOCK, O } from '../../kernel/constants/fcntl.ts'
import { Errno } from '../../kernel/errno.ts'
import { flock64 } from '../../kernel/layout/files.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { majorOf, minorOf } from '../../kernel/proc/device.ts'
import { readLocks } from '../../kernel/proc/locks.ts'
import { tryReadProcLink } from '../../kernel/proc/read.ts'
import { tryReadStat } from '../../kernel/proc/stat.ts'
import { statFd } from '../../kernel/stat.ts'
import { checked, close, must, sys, tryOpen } from '../../kernel/sys.ts'
import type { Result, Table } from '../../kernel/table.ts'
import { fileId, type LocalFd } from '../../kernel/types.ts'
import type { RestoreContext, RestoreTask } from '../restore-model.ts'
import { BREAKING, describeLock, LOCK_KIND, type LockEntry, typeBefore } from './lock-entry.ts'
import { withoutOwner } from './owner.ts'

/**
 * Locks of files are taken again by the tasks themselves, where each has its descriptors in place and
 * nothing closes one any more: a POSIX lock is gone when its process closes any descriptor of the file,
 * and its owner is the process that took it.
 */

/** A lock that a task was told to take: once the table has run, looks at what came of it. */
export type CheckTaken = () => void

/** The locks of the images by the pid of those that take them. */
export function readLocksByTask(restore: RestoreContext): ReadonlyMap<number, LockEntry[]> {
  const entries = restore.images.tryReadAll('filelocks') ?? []
  entries.forEach((entry, index) => {
    const wrong = (reason: string): never =>
      fail({ code: 'image', file: restore.images.pathOf('filelocks'), entry: index, reason })
    const task = restore.model.tasks.find(({ nsPid }) => nsPid === entry.pid)
    if (!task) wrong(`process ${entry.pid} is in no image`)
    if (!descriptorOf(task!, entry)) wrong(`process ${entry.pid} has no descriptor ${entry.fd}`)
    if (!Object.values<number>(LOCK_KIND).includes(entry.flag))
      wrong(`no kind of lock: ${entry.flag}`)
  })
  return Map.groupBy(entries, ({ pid }) => pid)
}

const descriptorOf = (task: RestoreTask, { fd }: LockEntry): Messages['fdinfo_entry'] | undefined =>
  task.fds.find((one) => one.fd === fd)

/** Adds the call that takes a lock to a table of the task's. */
export function addLock(
  table: Table,
  task: RestoreTask,
  entry: LockEntry,
  restore: RestoreContext,
): CheckTaken {
  const local = restore.files.description(fileId(descriptorOf(task, entry)!.id))
  if (entry.flag === LOCK_KIND.LEASE) return addLease(table, entry, local, restore)
  const taken = entry.flag === LOCK_KIND.FLOCK ? flock(table, entry) : recordLock(table, entry)
  return () => {
    if (taken.number === -Errno.EAGAIN || taken.number === -Errno.EACCES)
      failTaken(entry, local, restore)
    checked(taken.number, `take a ${describeLock(entry)} again`, { pid: task.pid ?? 0 })
  }
}

function flock(table: Table, { type, fd }: LockEntry): Result {
  const operation = type === F_LOCK.WRLCK ? LOCK.EX : LOCK.SH
  return table.attempt('flock', fd, operation | LOCK.NB)
}

function recordLock(table: Table, { flag, type, fd, start, len }: LockEntry): Result {
  const command = flag === LOCK_KIND.OFD ? F.OFD_SETLK : F.SETLK
  return table.attempt('fcntl', fd, command, table.data(flock64.encode({ type, start, len })))
}

/**
 * A lease. The kernel names its holder as the one to be signalled where nobody was named: such a file
 * gets nobody again. One that is being broken is broken again, by an open of ours that does not wait;
 * its holder has had the signal, so nobody is told this time.
 */
function addLease(
  table: Table,
  entry: LockEntry,
  local: LocalFd,
  restore: RestoreContext,
): CheckTaken {
  const flags = checked(sys('fcntl', local, F.GETFL), 'F_GETFL')
  const isBreaking = (entry.type & BREAKING) !== 0
  const type = isBreaking ? typeBefore(entry, flags) : entry.type
  const put = withoutOwner(local)
  const taken = table.attempt('fcntl', entry.fd, F.SETLEASE, type)
  return () => {
    try {
      const target = entry.type & ~BREAKING
      if (taken.number === -Errno.EAGAIN) leaseIsTaken(isBreaking, entry, local, restore)
      else checked(taken.number, `take a ${describeLock(entry)} again`)
      if (isBreaking && taken.number >= 0) breakLease(local, target)
    } finally {
      put()
    }
  }
}

/**
 * Somebody has the file open. One that waited for the lease to be given up was free to go on once the
 * holder was gone, as if the time that the kernel gives a holder had run out: the lease is gone.
 */
function leaseIsTaken(
  isBreaking: boolean,
  entry: LockEntry,
  local: LocalFd,
  restore: RestoreContext,
): void {
  if (!isBreaking) failTaken(entry, local, restore)
  restore.log.info(`${describeLock(entry)} of ${nameOf(local)}: the file was opened meanwhile`)
}

function breakLease(local: LocalFd, target: number): void {
  // Taking the lease has made the task the owner.
  must('fcntl', local, F.SETOWN, 0)
  const mode = target === F_LOCK.RDLCK ? O.RDONLY : O.WRONLY
  const fd = tryOpen(`/proc/self/fd/${local}`, mode | O.NONBLOCK)
  if (fd >= 0) close(fd)
  if (fd === -Errno.EAGAIN) return
  fail({ code: 'internal', reason: `a lease of ${nameOf(local)} was not broken (${fd})` })
}

function failTaken(entry: LockEntry, local: LocalFd, restore: RestoreContext): never {
  const who = otherHolder(entry.flag, local, restore)
  return fail({
    code: 'conflict',
    reason: `${describeLock(entry)} of process ${entry.pid} cannot be taken again, ${who}`,
    path: nameOf(local),
    remedy: 'restore once nobody else uses the file',
  })
}

/** Which locks of others are in the way of a kind: POSIX and description locks exclude each other. */
function areRivals(flag: number, kind: string): boolean {
  if (flag === LOCK_KIND.FLOCK) return kind === 'FLOCK'
  if (flag === LOCK_KIND.LEASE) return kind === 'LEASE'
  return kind === 'POSIX' || kind === 'OFDLCK'
}

/** Who has such a lock on the file, but for those that we restore. */
function otherHolder(flag: number, local: LocalFd, { model }: RestoreContext): string {
  const { dev, ino } = statFd(local)
  const [major, minor] = [majorOf(Number(dev)), minorOf(Number(dev))]
  const ours = new Set(model.tasks.map(({ pid }) => pid as number | undefined))
  const others = readLocks('/proc').filter(
    (lock) =>
      areRivals(flag, lock.kind) &&
      lock.inode === ino &&
      lock.major === major &&
      lock.minor === minor &&
      !ours.has(lock.pid),
  )
  // Of a lock of a description no process is told, of one in another namespace neither.
  const pid = others.find((lock) => lock.pid > 0)?.pid
  if (pid === undefined) return 'somebody else uses the file'
  const comm = displayPath(tryReadStat(`/proc/${pid}`)?.comm ?? '')
  return `process ${pid} (${comm}) has locked the file`
}

const nameOf = (local: LocalFd): string =>
  displayPath(tryReadProcLink(`/proc/self/fd/${local}`) ?? '')

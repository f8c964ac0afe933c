import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { F, F_OWNER, O } from '../../kernel/constants/fcntl.ts'
import { Errno } from '../../kernel/errno.ts'
import { fOwnerEx } from '../../kernel/layout/files.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, must, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import type { RestoreContext } from '../restore-model.ts'
import { refuseFile } from './refuse.ts'

type Owner = Messages['fown_entry']

/** Whoever is told by a signal that the file is ready: nobody. */
export const noOwner: Owner = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 }

/**
 * Owner and signal of an open file description (man 2 fcntl_getown, F_GETOWN_EX), asked on our copy.
 * The pid becomes the one that the task's namespace counts; an owner outside of the tree is refused,
 * since a restore may find anybody under its number.
 */
export function ownerOf(probe: FdProbe, dump: DumpContext): Owner {
  if (probe.fd === undefined || probe.flags & O.PATH) return noOwner
  const signum = sys('fcntl', probe.local, F.GETSIG)
  using s = scratch()
  const memory = s.take(fOwnerEx.size)
  const found = sys('fcntl', probe.local, F.GETOWN_EX, memory.address)
  const { type, pid } = fOwnerEx.read(memory.view, 0)
  const quiet = signum > 0 ? { ...noOwner, signum } : noOwner
  if (found < 0 || pid === 0) return quiet
  const inTree = nsPidOf(dump, type, pid)
  if (inTree === undefined) {
    refuseOwner(dump, probe, type, pid)
    return quiet
  }
  return { ...ownerIds(probe.local), signum: Math.max(signum, 0), pid_type: type, pid: inTree }
}

/** Nobody is signalled for the file from now on; what it returns puts the owner back, or none. */
export function withoutOwner(fd: LocalFd): () => void {
  using s = scratch()
  const found = s.take(fOwnerEx.size)
  must('fcntl', fd, F.GETOWN_EX, found.address)
  const owner = fOwnerEx.read(found.view, 0)
  const ids = owner.pid === 0 ? undefined : ownerIds(fd)
  must('fcntl', fd, F.SETOWN, 0)
  return () => {
    must('fcntl', fd, F.SETOWN, 0)
    if (ids) setOwner(fd, owner, ids)
  }
}

interface OwnerIds {
  readonly uid: number
  readonly euid: number
}

function ownerIds(fd: LocalFd): OwnerIds {
  using s = scratch()
  const ids = s.take(8)
  must('fcntl', fd, F.GETOWNER_UIDS, ids.address)
  return { uid: ids.view.getUint32(0, true), euid: ids.view.getUint32(4, true) }
}

const nouns = new Map<number, string>([
  [F_OWNER.TID, 'thread'],
  [F_OWNER.PID, 'process'],
  [F_OWNER.PGRP, 'process group'],
])

function refuseOwner(dump: DumpContext, probe: FdProbe, type: number, pid: number): void {
  const who = `${nouns.get(type) ?? 'owner'} ${pid}`
  refuseFile(
    dump,
    probe,
    `file whose signals go to ${who}, outside of the tree`,
    'dump a tree that holds both, or have the program call F_SETOWN with 0',
  )
}

function nsPidOf(dump: DumpContext, type: number, pid: number): number | undefined {
  for (const task of dump.tasks) {
    if (type === F_OWNER.PGRP) {
      if (task.stat.pgrp === pid) return task.status.innermost.pgid
    } else if (task.pid === pid) return task.nsPid
    else {
      const thread = task.threads.find(({ seized }) => seized.tid === pid)
      if (thread) return thread.nsTid
    }
  }
  return undefined
}

/** The signal alone: F_SETSIG needs nobody. */
export function restoreSignal(fd: LocalFd, owner: Owner): void {
  if (owner.signum !== 0) must('fcntl', fd, F.SETSIG, owner.signum)
}

/**
 * Sets the owner with the ids that it was set with. The kernel takes those from the caller, so we
 * take them on for this one call; a saved uid of 0 lets us come back.
 */
export function restoreOwner(fd: LocalFd, owner: Owner, restore: RestoreContext): void {
  if (owner.pid === 0) return
  const pid = hostPidOf(restore, owner)
  const result = setOwner(fd, { type: owner.pid_type, pid }, owner)
  if (result === -Errno.ESRCH) ownerGone(owner)
  checked(result, 'F_SETOWN_EX', { pid })
}

function setOwner(
  fd: LocalFd,
  owner: { readonly type: number; readonly pid: number },
  { uid, euid }: OwnerIds,
): number {
  using s = scratch()
  const memory = s.put(fOwnerEx.encode(owner))
  const foreign = uid !== 0 || euid !== 0
  if (foreign) must('setresuid', uid, euid, 0)
  const result = sys('fcntl', fd, F.SETOWN_EX, memory.address)
  if (foreign) must('setresuid', 0, 0, 0)
  return result
}

function hostPidOf({ model }: RestoreContext, owner: Owner): number {
  for (const task of model.tasks) {
    if (task.nsPid === owner.pid) return task.pid ?? owner.pid
    const thread = task.threads.find(({ nsTid }) => nsTid === owner.pid)
    if (thread) return thread.tid ?? owner.pid
  }
  return owner.pid
}

function ownerGone(owner: Owner): never {
  const who = `${nouns.get(owner.pid_type) ?? 'owner'} ${owner.pid}`
  return fail({ code: 'conflict', reason: `a file is to signal ${who}, which is not there` })
}

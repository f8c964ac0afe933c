import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { ownFieldsOf, withOwnFields } from '../../images/own-fields.ts'
import { PIDFD } from '../../kernel/constants/pidfd.ts'
import { SIG } from '../../kernel/constants/signals.ts'
import { tryEndOf } from '../../kernel/pidfd.ts'
import { tryReadStat } from '../../kernel/proc/stat.ts'
import { checked, close, sys } from '../../kernel/sys.ts'
import { fileId, type LocalFd, localFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext } from '../dump-model.ts'
import { connectOwner } from '../files/async.ts'
import { partOf } from '../files/entry-part.ts'
import { ownerOf, restoreSignal } from '../files/owner.ts'
import { refuseFile } from '../files/refuse.ts'
import type { RestoreContext } from '../restore-model.ts'
import { freshInfo, isAnon } from './anon.ts'
import { makeDeadProcess } from './dead-process.ts'

type PidfdEntry = Messages['pidfd_entry']

/** PIDFD of fd_types. */
const TYPE = 20
/** What fdinfo says of a process that is reaped. */
const REAPED = -1
/** Field of ours: how a reaped process ended (PIDFD_INFO_EXIT), as wait(2) tells it. */
const STATUS = 15000

/** Processes and threads behind a descriptor (man 2 pidfd_open): alive, waiting to be reaped, gone. */
export const pidfd: FdKind = {
  tag: 'pidfd',
  type: TYPE,
  recognise: (probe) => isAnon(probe, 'pidfd'),
  dump(probe, id, dump) {
    const info = freshInfo(probe)
    const pid = Number(info('Pid'))
    if (pid !== REAPED && !isRestored(pid, dump)) {
      const what = pid > 0 ? `process ${pid}` : 'a process that we do not see'
      const remedy = 'dump a tree that holds it too, or let the program close it first'
      refuseFile(dump, probe, `pidfd of ${what}, outside of the tree`, remedy)
      return undefined
    }
    const nspid = Number(info('NSpid').split(/\s+/).at(-1))
    const ino = Number(BigInt.asUintN(32, probe.stat.ino))
    const entry: PidfdEntry = { id, ino, flags: probe.flags, nspid, fown: ownerOf(probe, dump) }
    const status = pid === REAPED ? tryEndOf(probe.local) : undefined
    const own = status === undefined ? [] : [[STATUS, BigInt(status)] as const]
    return { pidfd: withOwnFields(entry, new Map(own)) }
  },

  late: (entry) => partOf(entry, 'pidfd').nspid > 0,
  open(entry, restore) {
    const { nspid, flags, fown } = partOf(entry, 'pidfd')
    const fd = nspid > 0 ? openPidfd(hostPidOf(nspid, restore), flags) : openDead(entry.id, restore)
    restoreSignal(fd, fown)
    return fd
  },
  connect(entry, fd, restore) {
    const { flags, fown } = partOf(entry, 'pidfd')
    connectOwner(fd, entry.id, flags, fown, restore)
  },
}

/** Of the tree, a thread or zombie of it too; process 1 is there on every machine. */
function isRestored(pid: number, { tasks }: DumpContext): boolean {
  if (pid === 1) return true
  if (tasks.some((task) => task.threads.some(({ seized }) => seized.tid === pid))) return true
  const stat = tryReadStat(`/proc/${pid}`)
  return stat?.state === 'Z' && tasks.some((task) => task.pid === stat.ppid)
}

function openPidfd(pid: number, flags: number): LocalFd {
  const opened = sys('pidfd_open', pid, flags & (PIDFD.NONBLOCK | PIDFD.THREAD))
  return localFd(checked(opened, 'pidfd_open', { pid }))
}

function hostPidOf(nspid: number, { model }: RestoreContext): number {
  for (const task of model.tasks)
    for (const { nsTid, tid } of task.threads) if (nsTid === nspid) return tid ?? nspid
  if (nspid === 1) return nspid
  const reason = `a pidfd of process ${nspid}, which is not there`
  return fail({ code: 'image', file: 'files.img', reason })
}

const dead = new WeakMap<RestoreContext, Map<number, LocalFd>>()

/**
 * A process that is no more can only be opened while it is: of a child of ours that ends as it did,
 * all descriptors are opened before it is reaped. Those of one process have one inode number.
 */
function openDead(id: number, restore: RestoreContext): LocalFd {
  const opened = dead.get(restore) ?? new Map<number, LocalFd>()
  dead.set(restore, opened)
  const ready = opened.get(id)
  if (ready !== undefined) return ready
  const entries = [...restore.model.files.values()].flatMap((one) => one.pidfd ?? [])
  const { ino } = partOf(restore.model.files.get(fileId(id))!, 'pidfd')
  const same = entries.filter((entry) => entry.nspid <= 0 && entry.ino === ino)
  const status = same
    .map((entry) => ownFieldsOf(entry).get(STATUS))
    .find((one) => one !== undefined)
  using child = makeDeadProcess(typeof status === 'bigint' ? Number(status) : SIG.KILL)
  for (const entry of same) opened.set(entry.id, openPidfd(child.pid, entry.flags))
  restore.atEnd(() => {
    for (const fd of opened.values()) close(fd)
  })
  return opened.get(id)!
}

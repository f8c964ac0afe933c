import type { Messages } from '../../images/gen/messages.ts'
import { EPOLL_CREATE } from '../../kernel/constants/poll.ts'
import { must } from '../../kernel/sys.ts'
import { fileId, type LocalFd, localFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext } from '../dump-model.ts'
import { connectOwner } from '../files/async.ts'
import { partOf } from '../files/entry-part.ts'
import { ownerOf, restoreSignal } from '../files/owner.ts'
import type { RestoreContext } from '../restore-model.ts'
import { isAnon, setFlags } from './anon.ts'
import { restoreBusyPolling, withBusyPolling } from './epoll-busy.ts'
import { type FoundEpoll, findTargets } from './epoll-dump.ts'
import { adderOf, addInTask, addTargets, isOfTask, targetsOf } from './epoll-restore.ts'

type FileEntry = Messages['file_entry']

/** EVENTPOLL of fd_types. */
const TYPE = 7

const found = new WeakMap<DumpContext, FoundEpoll[]>()
/** Ids of epolls that have their targets. */
const filled = new WeakMap<RestoreContext, Set<number>>()

/**
 * Epolls: which files they watch, under which numbers, for what. Which events are ready is not kept:
 * the kernel finds out when a target is added, but for edges that were reported already.
 */
export const epoll: FdKind = {
  tag: 'eventpoll',
  type: TYPE,
  recognise: (probe) => isAnon(probe, 'eventpoll'),
  dump(probe, id, dump) {
    const fown = ownerOf(probe, dump)
    const entry = withBusyPolling({ id, flags: probe.flags, fown, tfd: [] }, probe.local)
    const epolls = found.get(dump) ?? []
    found.set(dump, epolls)
    epolls.push({ probe, id, targets: entry.tfd })
    return { epfd: entry }
  },
  finishDump: (dump) => findTargets(found.get(dump) ?? [], dump),

  open(entry, restore) {
    // An image that names files that are not there is told of before any task exists.
    for (const target of targetsOf(entry, restore))
      if (isOfTask(target)) adderOf(fileId(entry.id), target, restore)
    const epfd = partOf(entry, 'epfd')
    const fd = localFd(must('epoll_create1', EPOLL_CREATE.CLOEXEC))
    setFlags(fd, epfd.flags)
    restoreBusyPolling(fd, epfd)
    restoreSignal(fd, epfd.fown)
    return fd
  },
  connect(entry, fd, restore) {
    fillEpoll(entry, fd, restore)
    const { flags, fown } = partOf(entry, 'epfd')
    connectOwner(fd, entry.id, flags, fown, restore)
  },
  connectIn(task, entry, fd, table, restore) {
    // One number is enough for an epoll that the task has twice.
    if (task.fds.find(({ id }) => id === entry.id)?.fd !== fd) return
    for (const target of targetsOf(entry, restore).filter(isOfTask)) {
      const adder = adderOf(fileId(entry.id), target, restore)
      // Where tasks share a table, the one that made it works for all.
      if (adder.ids.files_id === task.ids.files_id) addInTask(fd, target, task.fds, table)
    }
  },
}

/** Epolls that it watches come first: whether they are ready depends on what they watch. */
function fillEpoll(entry: FileEntry, fd: LocalFd, restore: RestoreContext): void {
  const done = filled.get(restore) ?? new Set()
  filled.set(restore, done)
  if (done.has(entry.id)) return
  done.add(entry.id)
  const targets = targetsOf(entry, restore)
  for (const { file } of targets)
    if (file.type === TYPE) fillEpoll(file, restore.files.description(fileId(file.id)), restore)
  addTargets(fd, targets, restore)
}

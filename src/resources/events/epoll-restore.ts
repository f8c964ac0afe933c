import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { F, FD, O } from '../../kernel/constants/fcntl.ts'
import { EPOLL_CTL } from '../../kernel/constants/poll.ts'
import { CLONE } from '../../kernel/constants/sched.ts'
import { WAIT_KIND } from '../../kernel/constants/wait.ts'
import { epollEvent } from '../../kernel/layout/files.ts'
import { cloneArgs } from '../../kernel/layout/sched.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, must, spawnTable } from '../../kernel/sys.ts'
import { Table } from '../../kernel/table.ts'
import { type FileId, fileId, type LocalFd } from '../../kernel/types.ts'
import { partOf } from '../files/entry-part.ts'
import type { RestoreContext, RestoreTask } from '../restore-model.ts'
import { ownFieldsOf } from './epoll-fields.ts'
import { areReady, EVERYTHING, isSpent } from './epoll-items.ts'

type FileEntry = Messages['file_entry']
type FdEntry = Messages['fdinfo_entry']

/** SIGNALFD of fd_types. */
const SIGNALFD = 9

/** A file that an epoll is to watch. */
export interface Target {
  readonly file: FileEntry
  /** The descriptor number that it is to be added under. */
  readonly number: number
  readonly events: number
  readonly data: bigint
  readonly taken: boolean
}

export function targetsOf(entry: FileEntry, { model }: RestoreContext): Target[] {
  const plain = tableOfHolder(entry.id, model.tasks)
  return partOf(entry, 'epfd').tfd.map((target) => {
    const own = ownFieldsOf(target)
    const id = own.file ?? plain.get(target.tfd)
    const file = id === undefined ? undefined : model.files.get(fileId(id))
    if (!file) return failUnknown(entry, target.tfd)
    const { events, data } = target
    return { file, number: own.number ?? target.tfd, events, data, taken: own.taken === true }
  })
}

const failUnknown = ({ id }: FileEntry, tfd: number): never =>
  fail({
    code: 'image',
    file: 'files.img',
    reason: `epoll ${id} watches descriptor ${tfd}, which is no file`,
  })

/** Where entries have no field of ours, they mean the descriptors of the first task with the epoll. */
function tableOfHolder(epoll: number, tasks: readonly RestoreTask[]): Map<number, number> {
  const holder = tasks.find(({ fds }) => fds.some(({ id }) => id === epoll))
  return new Map(holder?.fds.map(({ fd, id }) => [fd, id]))
}

/** An epoll waits for the signals of the task that adds a signalfd: only a task can do it. */
export const isOfTask = ({ file }: Target): boolean => file.type === SIGNALFD

/** As many targets as one table takes. */
const CHUNK = 128
/** Bytes that one of them needs: four records and its event, twice. */
const ROOM = 512

/**
 * Adds all targets that need no task. What has been reported already is added first, and reported to
 * nobody: an edge-triggered target that is ready, and a one-shot that has fired. The kernel shows no
 * way to disarm one whose file is not ready for anything; it stays armed for an error or a hang-up,
 * which nobody can leave out.
 */
export function addTargets(
  epoll: LocalFd,
  targets: readonly Target[],
  restore: RestoreContext,
): void {
  const open = targets
    .filter((target) => !isOfTask(target))
    .map((target) => ({ ...target, fd: restore.files.description(fileId(target.file.id)) }))
  const ready = areReady(open.map(({ fd }) => ({ fd, events: EVERYTHING })))
  const [reported, others] = [true, false].map((wanted) =>
    open.filter(({ events, taken }, i) => (taken || (isSpent(events) && ready[i]!)) === wanted),
  )
  for (let at = 0; at < reported!.length; at += CHUNK) {
    const some = reported!.slice(at, at + CHUNK)
    const armed = some.map((one) =>
      isSpent(one.events) ? { ...one, events: arm(one.events) } : one,
    )
    addInChild(epoll, armed, some.length)
  }
  for (let at = 0; at < others!.length; at += CHUNK)
    addInChild(epoll, others!.slice(at, at + CHUNK), 0)
}

const arm = (events: number): number => (events | EVERYTHING) >>> 0

/**
 * A target is known by its file and its number: a child with descriptors of its own puts the file
 * there. First all go above those numbers, so that none stands in the way of another. In the end up
 * to `taken` events are taken from the epoll.
 */
function addInChild(
  epoll: LocalFd,
  targets: readonly (Target & { readonly fd: LocalFd })[],
  taken: number,
): void {
  const above = 1 + Math.max(...targets.map(({ number }) => number))
  using s = scratch()
  const table = new Table(s.take((targets.length + 1) * ROOM))
  const raise = (fd: LocalFd) => table.call('fcntl', fd, F.DUPFD, above)
  const at = raise(epoll)
  const raised = targets.map((target) => ({ ...target, fd: raise(target.fd) }))
  for (const { fd, number, events, data } of raised) {
    table.call('dup2', fd, number)
    const event = table.data(epollEvent.encode({ events, data }))
    table.call('epoll_ctl', at, EPOLL_CTL.ADD, number, event)
  }
  if (taken > 0) {
    const events = table.space(taken * epollEvent.size)
    table.call('epoll_wait', at, events, taken, 0)
  }
  table.call('exit', 0)
  const args = cloneArgs.encode({ flags: CLONE.VM | CLONE.VFORK })
  const pid = checked(spawnTable(args, table), 'clone3')
  must('wait4', pid, 0, WAIT_KIND.ALL, 0)
  const failure = table.failure()
  if (failure) checked(-failure.errno, 'epoll_ctl', { kind: 'eventpoll' })
}

/**
 * The task that adds a signalfd: the first that has it and the epoll, best under the very number.
 * Who added it in the first place the kernel does not tell; parents come before children.
 */
export function adderOf(
  epoll: FileId,
  { file, number }: Target,
  { model }: RestoreContext,
): RestoreTask {
  const holders = model.tasks.filter(
    ({ fds }) => fds.some(({ id }) => id === epoll) && fds.some(({ id }) => id === file.id),
  )
  const isThere = ({ fds }: RestoreTask) =>
    fds.some(({ id, fd }) => id === file.id && fd === number)
  return (
    holders.find(isThere) ??
    holders[0] ??
    fail({
      code: 'image',
      file: 'files.img',
      reason: `no task has both epoll ${epoll} and signalfd ${file.id}, which it watches`,
    })
  )
}

/** In a task that has both, its other descriptors unchanged. */
export function addInTask(
  epoll: number,
  { file, number, events, data }: Target,
  fds: readonly FdEntry[],
  table: Table,
): void {
  const event = table.data(epollEvent.encode({ events, data }))
  const add = () => table.call('epoll_ctl', epoll, EPOLL_CTL.ADD, number, event)
  const inPlace = fds.find(({ fd }) => fd === number)
  if (inPlace?.id === file.id) {
    add()
    return
  }
  const source = fds.find(({ id }) => id === file.id)!.fd
  const kept = inPlace && table.call('fcntl', number, F.DUPFD, 0)
  // The epoll itself may be at that number.
  const at = kept && number === epoll ? kept : epoll
  table.call('dup2', source, number)
  table.call('epoll_ctl', at, EPOLL_CTL.ADD, number, event)
  if (!kept) {
    table.call('close', number)
    return
  }
  table.call('dup3', kept, number, inPlace.flags & FD.CLOEXEC ? O.CLOEXEC : 0)
  table.call('close', kept)
}

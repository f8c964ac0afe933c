import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { KCMP } from '../../kernel/constants/kcmp.ts'
import { POLL } from '../../kernel/constants/poll.ts'
import { Errno } from '../../kernel/errno.ts'
import { kcmpEpollSlot } from '../../kernel/layout/sched.ts'
import { scratch } from '../../kernel/memory.ts'
import { fdInfoValues, readFdInfo } from '../../kernel/proc/fdinfo.ts'
import { checked, sys } from '../../kernel/sys.ts'
import type { FileId } from '../../kernel/types.ts'
import type { DumpContext, FdProbe, FoundDescriptor } from '../dump-model.ts'
import { refuseFile } from '../files/refuse.ts'
import { isAnon } from './anon.ts'
import { Descriptors } from './descriptors.ts'
import { withOwnFields } from './epoll-fields.ts'
import { areReady, isEdge, isSpent, waitedFor } from './epoll-items.ts'

type TargetEntry = Messages['eventpoll_tfd_entry']

/** An epoll of the tree, and its entry, whose list of targets is still empty. */
export interface FoundEpoll {
  readonly probe: FdProbe
  readonly id: FileId
  readonly targets: TargetEntry[]
}

/** A watched file: what the kernel shows of it, and where the tree has it open. */
interface Target {
  readonly shown: Shown
  readonly file: FoundDescriptor
}

/** A `tfd` line of fdinfo. */
interface Shown {
  /** The descriptor number that it was added under; the file may be somewhere else by now. */
  readonly number: number
  readonly events: number
  readonly data: bigint
  readonly pos: bigint
  readonly ino: bigint
  readonly dev: number
}

/** Fills in the targets of all epolls, once every descriptor of every task is known. */
export function findTargets(epolls: readonly FoundEpoll[], dump: DumpContext): void {
  const found = new Map<FileId, Target[]>()
  const tree = new Descriptors(dump.files.descriptors)
  for (const { probe, id } of epolls) found.set(id, targetsOf(probe, tree, dump))
  for (const { probe, id, targets } of epolls) {
    const own = found.get(id)!
    for (const target of own) refuseLoneSignalfd(id, probe, target, tree, dump)
    const taken = takenEvents(probe, own, (file) => seesSignals(file, found))
    for (const [i, target] of own.entries())
      targets.push(entryOf(id, target, taken[i] === true, tree))
  }
}

function targetsOf(probe: FdProbe, tree: Descriptors, dump: DumpContext): Target[] {
  const before = new Map<number, number>()
  return fdInfoValues(readFdInfo('/proc/self', probe.local), 'tfd').flatMap((line) => {
    const shown = parseShown(line)
    const offset = before.get(shown.number) ?? 0
    before.set(shown.number, offset + 1)
    const file = findFile(probe, shown, offset, tree)
    if (file) return [{ shown, file }]
    const what = `anon_inode eventpoll with descriptor ${shown.number}, inode ${shown.ino}, whose file no process of the tree has open`
    refuseFile(
      dump,
      probe,
      what,
      'dump a tree that holds this file too, or let the program remove it',
    )
    return []
  })
}

const LINE =
  /^(\d+) +events: *([0-9a-f]+) +data: *([0-9a-f]+) +pos: *(-?\d+) +ino: *([0-9a-f]+) +sdev: *([0-9a-f]+)$/

/** `12 events: 80000019 data: 7f6d0000000c  pos:0 ino:40e sdev:10` (fs/eventpoll.c, since Linux 4.13). */
function parseShown(line: string): Shown {
  const [, number, events, data, pos, ino, dev] = LINE.exec(line) ?? []
  if (dev === undefined)
    return fail({ code: 'internal', reason: `fdinfo of an epoll says tfd: ${line}` })
  return {
    number: Number(number),
    events: Number.parseInt(events!, 16),
    data: BigInt(`0x${data}`),
    pos: BigInt.asUintN(64, BigInt(pos!)),
    ino: BigInt(`0x${ino}`),
    dev: Number.parseInt(dev, 16),
  }
}

/**
 * Which file a target is, exactly: kcmp compares it with each that may be. `offset` counts the targets
 * before it that were added under the same number. Most are still where they were added.
 */
function findFile(
  epoll: FdProbe,
  { number, ino }: Shown,
  offset: number,
  tree: Descriptors,
): FoundDescriptor | undefined {
  const isIt = ({ probe }: FoundDescriptor) => isTarget(epoll.local, number, offset, probe.local)
  const near = tree.tableOf(epoll.task).get(number)
  if (near && isIt(near)) return near
  // An overlay shows other inode numbers by fstat: so the rest is asked too, but last.
  return tree.withInode(ino).find(isIt) ?? tree.files.find((one) => isIt(one))
}

/** Is it this file; of our own copies (man 2 kcmp, KCMP_EPOLL_TFD). */
function isTarget(efd: number, tfd: number, toff: number, candidate: number): boolean {
  using s = scratch()
  const slot = s.put(kcmpEpollSlot.encode({ efd, tfd, toff })).address
  const order = sys('kcmp', process.pid, process.pid, KCMP.EPOLL_TFD, candidate, slot)
  // Descriptors of O_PATH count as none; no epoll can have them.
  if (order === -Errno.EBADF) return false
  return checked(order, 'KCMP_EPOLL_TFD') === 0
}

function entryOf(
  epoll: FileId,
  { shown, file }: Target,
  taken: boolean,
  tree: Descriptors,
): TargetEntry {
  const { number, events, data, dev, ino, pos } = shown
  const holder = tree.firstHolder(epoll)
  const isAt = (fd: number): boolean => tree.tableOf(holder).get(fd)?.id === file.id
  // Another number at which the holder has it is what upstream can add it under.
  const tfd = (isAt(number) ? undefined : tree.numberOf(holder, file.id)) ?? number
  return withOwnFields(
    { id: 0, tfd, events, data, dev, inode: ino, pos },
    {
      file: isAt(tfd) ? undefined : file.id,
      number: tfd === number ? undefined : number,
      taken,
    },
  )
}

/**
 * Edge-triggered targets that are ready while nothing is to be reported: their events were taken, and
 * adding them anew would bring them again. Where anything is to be reported the kernel does not tell
 * which: then each that is ready comes again, since no event may be lost.
 *
 * In this order: what becomes ready after it was asked is to be reported, and is seen by the second
 * poll. Not with a signalfd, which would be asked for our own signals, and be struck off the list of
 * what is ready (fs/eventpoll.c, __ep_eventpoll_poll).
 */
function takenEvents(
  epoll: FdProbe,
  targets: readonly Target[],
  isBlind: (file: FoundDescriptor) => boolean,
): boolean[] {
  const isAsked = ({ shown: { events } }: Target) => isEdge(events) && !isSpent(events)
  if (!targets.some(isAsked) || targets.some(({ file }) => isBlind(file))) return []
  const ready = areReady(
    targets.map(({ shown, file }) => ({ fd: file.probe.local, events: waitedFor(shown.events) })),
  )
  const [reports] = areReady([{ fd: epoll.local, events: POLL.IN }])
  return targets.map((target, i) => isAsked(target) && ready[i]! && !reports)
}

/** Is it a signalfd, or an epoll that watches one. */
function seesSignals(
  { id, probe }: FoundDescriptor,
  epolls: ReadonlyMap<FileId, readonly Target[]>,
): boolean {
  if (isAnon(probe, 'signalfd')) return true
  return (epolls.get(id) ?? []).some(({ file }) => seesSignals(file, epolls))
}

/** Whose signals an epoll waits for is who added the signalfd: on restore someone who has both. */
function refuseLoneSignalfd(
  epoll: FileId,
  probe: FdProbe,
  { shown, file }: Target,
  tree: Descriptors,
  dump: DumpContext,
): void {
  if (!isAnon(file.probe, 'signalfd')) return
  const signal = tree.holders(file.id)
  if ([...tree.holders(epoll)].some((task) => signal.has(task))) return
  const what = `anon_inode eventpoll with signalfd ${shown.number}, which no process has open together with it`
  refuseFile(dump, probe, what, 'let the program remove it first')
}

import type { Messages } from '../../images/gen/messages.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { FS_MAGIC } from '../../kernel/constants/magic.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import { scratch } from '../../kernel/memory.ts'
import { statFs } from '../../kernel/stat-fs.ts'
import { checked, must, open, owned, sys } from '../../kernel/sys.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { connectOwner } from '../files/async.ts'
import { ownerOf, restoreSignal } from '../files/owner.ts'
import { refuseFile } from '../files/refuse.ts'
import { attributesOf, copyMessages } from './mqueue-messages.ts'
import { descriptionOf } from './mqueue-restore.ts'
import { outsideUsers, type QueueIdentity } from './mqueue-users.ts'

type Queue = Messages['criuts_mqueue']

/** Of our own: upstream has none for them and refuses it. */
const TYPE = 15010

interface DumpedQueue extends QueueIdentity {
  /** A descriptor that leads to it. */
  readonly probe: FdProbe
  readonly entry: Queue
}

const dumped = new WeakMap<DumpContext, Map<string, DumpedQueue>>()

/** Queues by `dev:ino`. */
function queuesOf(dump: DumpContext): Map<string, DumpedQueue> {
  const found = dumped.get(dump) ?? new Map<string, DumpedQueue>()
  dumped.set(dump, found)
  return found
}

/**
 * POSIX message queues (man 7 mq_overview). They live in an IPC namespace and outlive those who use them;
 * here come those that the tree has open, with their messages, in an image of our own.
 */
export const mqueue: FdKind = {
  tag: 'POSIX message queue',
  type: TYPE,
  recognise: ({ link, stat, local }) =>
    (link.kind === 'path' || link.kind === 'unreachable') &&
    fileType(stat.mode) === 'regular' &&
    Number(statFs(local).type) === FS_MAGIC.MQUEUE_MAGIC,
  dump(probe, id, dump) {
    const { entry } = queueOf(probe, dump)
    const { flags, info } = probe
    const pos = BigInt.asUintN(64, info.pos)
    entry.files.push({ id, flags, pos, fown: ownerOf(probe, dump), ...pathOf(probe) })
    return {}
  },
  finishDump(dump) {
    const queues = queuesOf(dump)
    if (queues.size === 0) return
    const tree = new Set(dump.tasks.map(({ pid }) => pid as number))
    const users = outsideUsers([...queues.values()], tree)
    for (const [key, queue] of queues) refuseUses(queue, users.get(key), dump)
  },
  drain(dump) {
    const queues = [...queuesOf(dump).values()]
    for (const { probe, entry } of queues) {
      using queue = owned(open(`/proc/self/fd/${probe.local}`, O.RDWR | O.NONBLOCK))
      entry.messages.push(...copyMessages(queue.fd))
    }
    if (queues.length > 0)
      dump.images.write(
        'criu-ts-mqueue',
        queues.map(({ entry }) => entry),
      )
  },

  open(entry, restore) {
    const { fd, file } = descriptionOf(entry.id, restore)
    if (file.pos !== 0n) checked(sys('lseek', fd, file.pos, 0), 'lseek', { kind: this.tag })
    restoreSignal(fd, file.fown)
    return fd
  },
  connect(entry, fd, restore) {
    const { file } = descriptionOf(entry.id, restore)
    connectOwner(fd, entry.id, file.flags, file.fown, restore)
  },
}

const nameOf = ({ link }: FdProbe): string => {
  const path = link.kind === 'path' || link.kind === 'unreachable' ? link.path : ''
  return path.slice(path.lastIndexOf('/') + 1)
}

/** By mq_open its path is its name; else it was opened where the file system is mounted. */
function pathOf({ link }: FdProbe): { path?: string } {
  if (link.kind !== 'path' || link.path.lastIndexOf('/') === 0) return {}
  return { path: link.path }
}

function queueOf(probe: FdProbe, dump: DumpContext): DumpedQueue {
  const { dev, ino, mode, uid, gid, nlink } = probe.stat
  const queues = queuesOf(dump)
  const key = `${dev}:${ino}`
  const known = queues.get(key)
  if (known) return known
  using queue = owned(open(`/proc/self/fd/${probe.local}`, O.RDONLY | O.NONBLOCK))
  const { maxmsg, msgsize } = attributesOf(queue.fd)
  const name = nameOf(probe)
  const entry: Queue = {
    id: queues.size + 1,
    name,
    unlinked: nlink === 0,
    mode: mode & 0o7777,
    uid,
    gid,
    maxmsg,
    msgsize,
    messages: [],
    files: [],
  }
  const made = { dev, ino, name, probe, entry }
  queues.set(key, made)
  return made
}

function refuseUses({ probe, name }: DumpedQueue, user: number | undefined, dump: DumpContext) {
  const what = `POSIX message queue /${name}`
  if (user !== undefined)
    refuseFile(
      dump,
      probe,
      `${what}, which process ${user} outside the tree has open as well`,
      'dump that process with the tree, or run the tree in an IPC namespace of its own',
    )
  const registered = registrationOf(probe)
  if (registered !== 0)
    refuseFile(
      dump,
      probe,
      `${what} with a registration of process ${registered} (mq_notify), whose value nothing shows`,
      'let the program take it back for the dump (mq_notify with NULL)',
    )
}

/** Who is registered for a notification: the text of the queue's file tells (man 7 mq_overview). */
function registrationOf({ local }: FdProbe): number {
  using queue = owned(open(`/proc/self/fd/${local}`, O.RDONLY))
  using s = scratch()
  const memory = s.take(256)
  const length = must('pread64', queue.fd, memory.address, 256, 0)
  const text = Buffer.from(memory.bytes.subarray(0, length)).toString('latin1')
  return Number(/NOTIFY_PID:(\d+)/.exec(text)?.[1] ?? 0)
}

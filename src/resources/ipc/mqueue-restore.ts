import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { Errno } from '../../kernel/errno.ts'
import { mqAttr } from '../../kernel/layout/ipc.ts'
import { scratch } from '../../kernel/memory.ts'
import { openAs } from '../../kernel/open-as.ts'
import { statFd } from '../../kernel/stat.ts'
import { checked, must, owned, sys } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import type { RestoreContext } from '../restore-model.ts'
import { attributesOf, sendMessages } from './mqueue-messages.ts'
import { outsideUsers } from './mqueue-users.ts'

type Queue = Messages['criuts_mqueue']
type QueueFile = Messages['criuts_mqueue_file']

/** An open file description of a queue. */
export interface QueueDescription {
  readonly fd: LocalFd
  readonly file: QueueFile
}

const made = new WeakMap<RestoreContext, Map<number, QueueDescription>>()

/** The description with an id of the images. The first that is asked for makes all queues. */
export function descriptionOf(id: number, restore: RestoreContext): QueueDescription {
  const all = made.get(restore) ?? makeQueues(restore)
  made.set(restore, all)
  const found = all.get(id)
  if (found) return found
  const file = restore.images.pathOf('criu-ts-mqueue')
  return fail({ code: 'image', file, reason: `file ${id}, a POSIX message queue, is not in it` })
}

/** Unlinked ones first: another queue may have their name since. */
function makeQueues(restore: RestoreContext): Map<number, QueueDescription> {
  const all = new Map<number, QueueDescription>()
  const queues = restore.images.readAll('criu-ts-mqueue')
  for (const queue of queues) clearName(queue)
  for (const queue of queues.toSorted((a, b) => Number(b.unlinked) - Number(a.unlinked)))
    makeQueue(queue, all, restore)
  return all
}

const OPEN = O.RDWR | O.NONBLOCK

/**
 * A queue of that name which is there already has outlived the dumped tasks: it goes, since a new one
 * with the same messages takes its place. One that anybody has open is in the way.
 */
function clearName({ name }: Queue): void {
  using s = scratch()
  const found = sys('mq_open', s.string(name), OPEN, 0, 0)
  if (found === -Errno.ENOENT) return
  using queue = owned(checked(found, 'mq_open', { path: `/${name}` }))
  const { dev, ino } = statFd(queue.fd)
  const user = outsideUsers([{ dev, ino, name }], new Set()).get(`${dev}:${ino}`)
  if (user !== undefined)
    fail({
      code: 'conflict',
      reason: `POSIX message queue /${name} is there, and process ${user} has it open`,
      remedy: 'end that process, or run the tree in an IPC namespace of its own',
    })
  must('mq_unlink', s.string(name))
}

function makeQueue(
  queue: Queue,
  all: Map<number, QueueDescription>,
  restore: RestoreContext,
): void {
  using s = scratch()
  const { name, maxmsg, msgsize, uid, gid, mode, messages, files, unlinked } = queue
  const attributes = s.put(mqAttr.encode({ maxmsg, msgsize })).address
  const result = sys('mq_open', s.string(name), OPEN | O.CREAT | O.EXCL, mode, attributes)
  using own = owned(
    checked(result, 'mq_open', {
      path: `/${name}`,
      remedy: `it takes ${maxmsg} messages of ${msgsize} bytes: see /proc/sys/fs/mqueue, ulimit -q`,
    }),
  )
  if (!unlinked) unlinkIfFailed(name, restore)
  must('fchown', own.fd, uid, gid)
  must('fchmod', own.fd, mode)
  sendMessages(own.fd, messages)
  for (const file of files) all.set(file.id, { fd: openFile(file, name), file })
  if (unlinked) must('mq_unlink', s.string(name))
  if (attributesOf(own.fd).curmsgs !== BigInt(messages.length))
    fail({ code: 'conflict', reason: `somebody else uses POSIX message queue /${name}` })
}

/**
 * Each description by a call of its own: mq_open knows no O_LARGEFILE, and shows no other path. It is
 * close-on-exec in any case; the flag itself would stay with the description.
 */
function openFile({ flags, path }: QueueFile, name: string): LocalFd {
  if (path !== undefined) return openAs(path, flags)
  using s = scratch()
  return localFd(must('mq_open', s.string(name), flags, 0, 0))
}

function unlinkIfFailed(name: string, restore: RestoreContext): void {
  restore.atEnd((succeeded) => {
    using s = scratch()
    if (!succeeded) sys('mq_unlink', s.string(name))
  })
}

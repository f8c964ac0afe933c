import { O } from '../../kernel/constants/fcntl.ts'
import { POLL } from '../../kernel/constants/poll.ts'
import { pollfd } from '../../kernel/layout/files.ts'
import { scratch } from '../../kernel/memory.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { tryReadProcLink } from '../../kernel/proc/read.ts'
import { listPids, tryListFds, tryReadComm } from '../../kernel/proc/tasks.ts'
import { tryStat } from '../../kernel/stat.ts'
import { must } from '../../kernel/sys.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { isSame } from './lookup.ts'
import { takeContent } from './pipe-content.ts'
import { withOwnFields } from './pipe-fields.ts'
import { refuseFile } from './refuse.ts'

/** One buffer of pipes, and every description of it in the tree. */
interface Buffer {
  readonly id: number
  readonly ends: FdProbe[]
}

type DataKind = 'pipes-data' | 'fifo-data'

/** All pipes (or all fifos) of a dump. */
export class PipeBook {
  readonly #kind: DataKind
  readonly #byInode = new Map<string, Buffer>()
  readonly #ids = new Set<number>()

  constructor(kind: DataKind) {
    this.#kind = kind
  }

  /** Notes a description; returns the number of its pipe: the inode's, unless that is taken. */
  add(probe: FdProbe): number {
    const key = `${probe.stat.dev}:${probe.stat.ino}`
    const known = this.#byInode.get(key)
    if (known) {
      known.ends.push(probe)
      return known.id
    }
    let id = Number(BigInt.asUintN(32, probe.stat.ino))
    while (this.#ids.has(id)) id = (id + 1) >>> 0
    this.#ids.add(id)
    this.#byInode.set(key, { id, ends: [probe] })
    return id
  }

  /**
   * Writes what lies in all of them. A pipe with an end elsewhere is noted as such: on restore it must
   * be given (`--inherit-fd`). A fifo with one is refused.
   */
  finish(dump: DumpContext): void {
    const buffers = [...this.#byInode.values()]
    if (buffers.length === 0) return
    using writer = dump.images.writer(this.#kind)
    for (const { id, ends } of buffers) {
      const lone = ends.some(reads) && ends.some(writes) ? undefined : ends[0]!
      const outside = lone !== undefined && isOpenElsewhere(lone)
      if (outside && lone.link.kind !== 'pipe') refuseHeldFifo(lone, dump)
      const { content, size, packets } = takeContent(ends)
      const entry = { pipe_id: id, bytes: content.length, size }
      const held = outside && lone.link.kind === 'pipe'
      writer.entry(withOwnFields(entry, { packets, outside: held }), content)
    }
    writer.close()
  }
}

const reads = ({ flags }: FdProbe): boolean => (flags & O.ACCMODE) !== O.WRONLY
const writes = ({ flags }: FdProbe): boolean => (flags & O.ACCMODE) !== O.RDONLY

/**
 * Of a pipe of which the tree has one end alone: whether the other one is open somewhere. The kernel
 * tells it by poll (fs/pipe.c, pipe_poll): POLLHUP without a writer, POLLERR without a reader.
 */
const isOpenElsewhere = (end: FdProbe): boolean =>
  (pollNow(end) & (reads(end) ? POLL.HUP : POLL.ERR)) === 0

/** The bytes in it would be there twice: in the images, and in the fifo that somebody keeps open. */
function refuseHeldFifo(end: FdProbe, dump: DumpContext): void {
  const holder = findHolder(end, dump)
  // A fifo that never had a writer gives no POLLHUP either; then nobody is found who has it.
  if (holder === undefined) return
  const path = end.link.kind === 'path' ? ` ${displayPath(end.link.path)}` : ''
  const missing = reads(end) ? 'write' : 'read'
  const what = `fifo${path} whose ${missing} end is held outside of the tree (${holder})`
  const { mntId } = end.info
  const id = `${mntId.toString(16)}:${end.stat.ino.toString(16)}`
  const remedy = `dump a tree that holds both ends, or with --external file[${id}]`
  refuseFile(dump, end, what, remedy, `--external file[${id}]`)
}

function pollNow({ local }: FdProbe): number {
  using s = scratch()
  const memory = s.put(pollfd.encode({ fd: local, events: 0 }))
  must('poll', memory.address, 1, 0)
  return pollfd.read(memory.view, 0).revents
}

/** Some process outside of the tree that has the pipe open, for the message. */
function findHolder(probe: FdProbe, dump: DumpContext): string | undefined {
  const ours = new Set<number>([process.pid, ...dump.tasks.map(({ pid }) => pid)])
  const text = tryReadProcLink(`/proc/self/fd/${probe.local}`)
  const isIt = (path: string) => tryReadProcLink(path) === text && isSame(probe.stat, tryStat(path))
  const holder = listPids('/proc').find((pid) => !ours.has(pid) && holds(pid, isIt))
  if (holder === undefined) return undefined
  return `process ${holder}, ${displayPath(tryReadComm(`/proc/${holder}`) ?? '')}`
}

/** Also false for a process into which we may not look. */
function holds(pid: number, isIt: (path: string) => boolean): boolean {
  try {
    return (tryListFds(`/proc/${pid}`) ?? []).some((fd) => isIt(`/proc/${pid}/fd/${fd}`))
  } catch {
    return false
  }
}

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
import { withPackets } from './pipe-packets.ts'
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

  /** Refuses pipes with an end elsewhere, and writes what lies in all others. */
  finish(dump: DumpContext): void {
    const buffers = [...this.#byInode.values()]
    if (buffers.length === 0) return
    for (const { ends } of buffers) refuseIfOutside(ends, dump)
    using writer = dump.images.writer(this.#kind)
    for (const { id, ends } of buffers) {
      const { content, size, packets } = takeContent(ends)
      writer.entry(withPackets({ pipe_id: id, bytes: content.length, size }, packets), content)
    }
    writer.close()
  }
}

const reads = ({ flags }: FdProbe): boolean => (flags & O.ACCMODE) !== O.WRONLY
const writes = ({ flags }: FdProbe): boolean => (flags & O.ACCMODE) !== O.RDONLY

/**
 * A pipe of which the tree has one end alone: whether the other one is open somewhere the kernel
 * tells by poll (fs/pipe.c, pipe_poll): POLLHUP without a writer, POLLERR without a reader.
 */
function refuseIfOutside(ends: readonly FdProbe[], dump: DumpContext): void {
  const reader = ends.find(reads)
  const writer = ends.find(writes)
  if (reader && writer) return
  const [probe, missing, gone] = reader ? [reader, 'write', POLL.HUP] : [writer!, 'read', POLL.ERR]
  if (pollNow(probe) & gone) return
  const holder = findHolder(probe, dump)
  // A fifo that never had a writer gives no POLLHUP either; then nobody is found who has it.
  if (holder === undefined && probe.link.kind !== 'pipe') return
  const by = holder === undefined ? '' : ` (${holder})`
  const what = `${nounOf(probe)} whose ${missing} end is held outside of the tree${by}`
  const remedy = 'dump a tree that holds both ends, or let the program use a file instead'
  refuseFile(dump, probe, what, remedy)
}

const nounOf = ({ link }: FdProbe): string =>
  link.kind === 'pipe'
    ? `pipe:[${link.ino}]`
    : `fifo ${link.kind === 'path' ? displayPath(link.path) : ''}`.trimEnd()

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

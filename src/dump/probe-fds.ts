import { O } from '../kernel/constants/fcntl.ts'
import { type Memory, scratch } from '../kernel/memory.ts'
import { type FdInfo, parseFdInfo, readFdInfo } from '../kernel/proc/fdinfo.ts'
import { parseLink, readLink } from '../kernel/proc/links.ts'
import { listFds } from '../kernel/proc/tasks.ts'
import { decodeStat } from '../kernel/stat.ts'
import { must, owned, runLocally } from '../kernel/sys.ts'
import { type Result, type Slot, Table } from '../kernel/table.ts'
import { hostPid, localFd, type TraceeFd, traceeFd } from '../kernel/types.ts'
import type { DumpTask, FdProbe } from '../resources/dump-model.ts'
import { checkRun } from '../tracee/run.ts'

/** What one descriptor takes of a table: 6 records, and room for their answers. */
const STAT_SIZE = 144
const LINK_SIZE = 512
const INFO_SIZE = 1024
const CHUNK = 400
/** Records, answers, and both paths. */
const ROOM = 2560

interface Asked {
  readonly fd: TraceeFd
  readonly copy: Result
  readonly stat: Slot
  readonly link: { readonly length: Result; readonly text: Slot }
  readonly info: { readonly length: Result; readonly text: Slot }
}

/** A probe, and whether the descriptor itself is close-on-exec. */
export interface FoundFd {
  readonly probe: FdProbe
  readonly closeOnExec: boolean
}

/**
 * Copies of all descriptors of a task by pidfd_getfd, with their stat, link and fdinfo: some six calls
 * each, in batches of some hundreds. The task is stopped and runs nothing for it.
 */
export function probeFds(task: DumpTask): FoundFd[] {
  const fds = listFds(task.proc)
  if (fds.length === 0) return []
  using pidfd = owned(must('pidfd_open', task.pid, 0))
  const found: FoundFd[] = []
  for (let at = 0; at < fds.length; at += CHUNK) {
    using s = scratch()
    const some = fds.slice(at, at + CHUNK)
    found.push(...probeChunk(task, pidfd.fd, some, s.takeDirty(some.length * ROOM)))
  }
  return found
}

function probeChunk(
  task: DumpTask,
  pidfd: number,
  fds: readonly number[],
  memory: Memory,
): FoundFd[] {
  const table = new Table(memory)
  const asked = fds.map((fd) => ask(table, task, pidfd, traceeFd(fd)))
  runLocally(table)
  checkRun(table, hostPid(0), `look at descriptors of process ${task.pid}`)
  return asked.map((answers) => toFound(task, answers))
}

function ask(table: Table, task: DumpTask, pidfd: number, fd: TraceeFd): Asked {
  const stat = table.space(STAT_SIZE)
  const link = table.space(LINK_SIZE)
  const info = table.space(INFO_SIZE)
  const copy = table.call('pidfd_getfd', pidfd, fd, 0)
  table.call('fstat', copy, stat)
  const linkLength = table.call('readlink', table.string(`${task.proc}/fd/${fd}`), link, LINK_SIZE)
  const file = table.call('open', table.string(`${task.proc}/fdinfo/${fd}`), O.RDONLY | O.CLOEXEC)
  const infoLength = table.call('read', file, info, INFO_SIZE)
  table.call('close', file)
  return {
    fd,
    copy,
    stat,
    link: { length: linkLength, text: link },
    info: { length: infoLength, text: info },
  }
}

const latin1 = (slot: Slot, length: number): string =>
  Buffer.from(slot.bytes.buffer, slot.bytes.byteOffset, length).toString('latin1')

function toFound(task: DumpTask, { fd, copy, stat, link, info }: Asked): FoundFd {
  const path = `${task.proc}/fd/${fd}`
  // An answer that fills its room may be cut off: ask again, at leisure.
  const parsedLink =
    link.length.number < LINK_SIZE
      ? parseLink(latin1(link.text, link.length.number))
      : readLink(path)
  const parsedInfo: FdInfo =
    info.length.number < INFO_SIZE
      ? parseFdInfo(latin1(info.text, info.length.number))
      : readFdInfo(task.proc, fd)
  const probe: FdProbe = {
    task,
    fd,
    path,
    local: localFd(copy.number),
    stat: decodeStat(stat.view),
    link: parsedLink,
    flags: parsedInfo.flags & ~O.CLOEXEC,
    info: parsedInfo,
  }
  return { probe, closeOnExec: (parsedInfo.flags & O.CLOEXEC) !== 0 }
}

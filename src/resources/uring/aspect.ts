import { fail } from '../../errors/error.ts'
import { IORING_ENTER } from '../../kernel/constants/io-uring.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { readFdInfo } from '../../kernel/proc/fdinfo.ts'
import { tryReadProcLink } from '../../kernel/proc/read.ts'
import { listFds } from '../../kernel/proc/tasks.ts'
import { tryStat } from '../../kernel/stat.ts'
import type { TaskAspect } from '../contract.ts'
import type { DumpContext, DumpTask } from '../dump-model.ts'
import { isUringMapping, ringsOf } from './dump.ts'
import { uringInfoOf } from './info.ts'

/** IO_RINGFD_REG_MAX (include/linux/io_uring_types.h). */
const REGISTERED_RINGS = 16

/** What of io_urings is not seen through their descriptors. Refused where it cannot be restored. */
export const uringOutside: TaskAspect = {
  name: 'io_uring',

  /** A ring whose descriptor is closed is still used through its mapping, and a registered number. */
  collect(task, dump) {
    const mapped = task.maps.filter(isUringMapping)
    if (mapped.length === 0) return
    const open = openRings(dump)
    for (const { start, end, inode } of mapped)
      if (!open.has(inode))
        dump.refuse({
          pid: task.pid,
          comm: displayPath(task.stat.comm),
          where: `memory ${start.toString(16)}-${end.toString(16)}`,
          what: 'io_uring whose descriptor is closed',
          remedy: 'let the program keep it open',
        })
  },

  /** IORING_REGISTER_RING_FDS: numbers of a thread that the kernel shows nowhere. */
  askThread(task, thread, table, dump) {
    if (!ringsOf(dump).some(({ probe }) => probe.task === task)) return undefined
    const enter = (number: number) =>
      table.attempt('io_uring_enter', number, 0, 0, IORING_ENTER.REGISTERED_RING, 0, 0)
    const asked = Array.from({ length: REGISTERED_RINGS }, (_, number) => enter(number))
    return () => {
      if (asked.some(({ number }) => number >= 0))
        refuse(task, `thread ${thread.seized.tid}`, 'a registered descriptor of an io_uring')
    }
  },

  finishDump(dump) {
    for (const { probe, entry } of ringsOf(dump)) {
      const now = uringInfoOf(readFdInfo('/proc/self', probe.local))
      if (now?.cqTail === entry.cq_tail) continue
      refuse(
        probe.task,
        `fd ${probe.fd}`,
        'io_uring with a request that completed while it was dumped',
      )
    }
  },
}

function refuse(task: DumpTask, where: string, what: string): never {
  const remedy = 'let the program close it first'
  const obstacle = { pid: task.pid, comm: displayPath(task.stat.comm), where, what, remedy }
  return fail({ code: 'obstacles', obstacles: [obstacle] })
}

const inodes = new WeakMap<DumpContext, ReadonlySet<bigint>>()

/** Inodes of all rings that any task has a descriptor of. */
function openRings(dump: DumpContext): ReadonlySet<bigint> {
  const known = inodes.get(dump)
  if (known) return known
  const paths = dump.tasks.flatMap(({ proc }) => listFds(proc).map((fd) => `${proc}/fd/${fd}`))
  const rings = paths.filter((path) => tryReadProcLink(path) === 'anon_inode:[io_uring]')
  const found = new Set(rings.flatMap((path) => tryStat(path)?.ino ?? []))
  inodes.set(dump, found)
  return found
}

import { fail } from '../../errors/error.ts'
import { IORING_ENTER } from '../../kernel/constants/io-uring.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { readFdInfo } from '../../kernel/proc/fdinfo.ts'
import { tryReadProcLink } from '../../kernel/proc/read.ts'
import { listFds } from '../../kernel/proc/tasks.ts'
import { tryStat } from '../../kernel/stat.ts'
import type { Table } from '../../kernel/table.ts'
import type { TaskAspect } from '../contract.ts'
import type { DumpContext, DumpTask } from '../dump-model.ts'
import {
  type FoundRing,
  holdersOf,
  isUringMapping,
  noteEventfd,
  ringsOf,
  whyRefusedBy,
} from './dump.ts'
import { uringInfoOf } from './info.ts'
import { askBufferGroups, askTraits } from './probe.ts'

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

  askThread(task, thread, table, dump) {
    const rings = ringsOf(dump).flatMap((ring) => {
      const mine = holdersOf(ring, dump).find((probe) => probe.task === task)
      return mine ? [{ ring, fd: mine.fd! }] : []
    })
    if (rings.length === 0) return undefined
    const numbers = askNumbers(table)
    const others = rings.filter(({ ring }) => ring.traits.isOthers)
    const answers = others.map(({ ring, fd }) => askOwner(ring, fd, table))
    return () => {
      if (numbers())
        refuse(task, `thread ${thread.seized.tid}`, 'a registered descriptor of an io_uring')
      for (const answer of answers) answer()
    }
  },

  finishDump(dump) {
    const rings = ringsOf(dump)
    for (const ring of rings) {
      const why = whyRefusedNow(ring, dump)
      if (why) refuse(ring.probe.task, `fd ${ring.probe.fd}`, `io_uring ${why}`)
    }
    if (rings.length > 0)
      dump.images.write(
        'criu-ts-uring',
        rings.map(({ entry }) => entry),
      )
  },
}

/** IORING_REGISTER_RING_FDS: numbers of a thread that the kernel shows nowhere. */
function askNumbers(table: Table): () => boolean {
  const asked = Array.from({ length: REGISTERED_RINGS }, (_, number) =>
    table.attempt('io_uring_enter', number, 0, 0, IORING_ENTER.REGISTERED_RING, 0, 0),
  )
  return () => asked.some(({ number }) => number >= 0)
}

/** Of a ring that one thread alone may use: this one, if it is told more than that. */
function askOwner(ring: FoundRing, fd: number, table: Table): () => void {
  const traits = askTraits(table, fd)
  const group = askBufferGroups(table, fd)
  return () => {
    const found = traits()
    if (!found.isOthers) ring.answers = { traits: found, bufferGroup: group() }
  }
}

function whyRefusedNow(ring: FoundRing, dump: DumpContext): string | undefined {
  const { probe, entry, traits, answers } = ring
  const now = uringInfoOf(readFdInfo('/proc/self', probe.local))
  if (now?.cqTail !== entry.cq_tail) return 'with a request that completed while it was dumped'
  if (!traits.isOthers) return undefined
  if (!answers) return 'of a thread that is not in the tree (IORING_SETUP_SINGLE_ISSUER)'
  return whyRefusedBy(answers) ?? noteEventfd(ring, answers.traits, dump)
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

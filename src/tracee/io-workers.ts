import { O } from '../kernel/constants/fcntl.ts'
import { scratch } from '../kernel/memory.ts'
import { runLocally } from '../kernel/sys.ts'
import { type Result, type Slot, Table } from '../kernel/table.ts'
import type { HostPid } from '../kernel/types.ts'

/** PF_IO_WORKER (linux/sched.h), in the flags of /proc/PID/stat. */
const PF_IO_WORKER = 0x10
/** Up to the flags, whatever the name: 64 bytes of it and seven numbers. */
const STAT_SIZE = 192
/** Three records, the path and what was read. */
const ROOM = 3 * 64 + 48 + STAT_SIZE
const AT_ONCE = 200

/**
 * Leaves out the threads that the kernel has for the work of an io_uring: they stand among a process's
 * own, never run its code, and a tracer waits for their stop in vain. All are asked for in one table.
 */
export function withoutIoWorkers(pid: HostPid, tids: readonly HostPid[]): HostPid[] {
  const others = tids.filter((tid) => tid !== pid)
  const workers = new Set<HostPid>()
  for (let at = 0; at < others.length; at += AT_ONCE)
    for (const tid of workersOf(pid, others.slice(at, at + AT_ONCE))) workers.add(tid)
  return workers.size === 0 ? [...tids] : tids.filter((tid) => !workers.has(tid))
}

interface Asked {
  readonly tid: HostPid
  readonly length: Result
  readonly text: Slot
}

function workersOf(pid: HostPid, tids: readonly HostPid[]): HostPid[] {
  using s = scratch()
  const table = new Table(s.takeDirty(tids.length * ROOM))
  const asked: Asked[] = tids.map((tid) => {
    const text = table.space(STAT_SIZE)
    const path = table.string(`/proc/${pid}/task/${tid}/stat`)
    const file = table.attempt('open', path, O.RDONLY | O.CLOEXEC)
    const length = table.attempt('read', file, text, STAT_SIZE)
    table.attempt('close', file)
    return { tid, length, text }
  })
  runLocally(table)
  return asked.filter(isWorker).map(({ tid }) => tid)
}

/** Of a thread that is gone: no. */
function isWorker({ length, text }: Asked): boolean {
  if (length.failed) return false
  const line = Buffer.from(text.bytes.subarray(0, length.number)).toString('latin1')
  // State, parent, group, session, terminal and its group come before.
  const flags = Number(line.slice(line.lastIndexOf(')') + 2).split(' ', 7)[6])
  return (flags & PF_IO_WORKER) !== 0
}

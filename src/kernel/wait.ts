import { fail } from '../errors/error.ts'
import { Errno } from './errno.ts'
import { scratch } from './memory.ts'
import { tryReadStat } from './proc/stat.ts'
import { tryListThreads } from './proc/tasks.ts'
import { checked, sys, sysOnce } from './sys.ts'
import { type HostPid, hostPid } from './types.ts'

/** What wait4 told of a tracee or child, decoded once. */
export type Stop =
  /** At the delivery of a signal: what a resume passes on, or drops. */
  | { kind: 'signal'; signal: number }
  /** At the entry to or exit from a system call. */
  | { kind: 'syscall' }
  /** After PTRACE_INTERRUPT, or as a new tracee's first stop; `signal` is SIGTRAP. */
  | { kind: 'interrupt' }
  /** In a group-stop by that signal. */
  | { kind: 'group-stop'; signal: number }
  /** At fork, clone, exec, exit …: PTRACE_EVENT_*. */
  | { kind: 'event'; event: number }
  | { kind: 'exited'; code: number }
  | { kind: 'killed'; signal: number }

export const WNOHANG = 1
const WALL = 0x40000000
const SIGTRAP = 5
const EVENT_STOP = 128

/** Decodes a status of wait4 on a task under PTRACE_SEIZE and TRACESYSGOOD (ptrace(2)). */
export function decodeStatus(status: number): Stop {
  const low = status & 0x7f
  if (low === 0) return { kind: 'exited', code: (status >> 8) & 0xff }
  if (low !== 0x7f) return { kind: 'killed', signal: low }
  const signal = (status >> 8) & 0xff
  const event = status >> 16
  if (event === EVENT_STOP)
    return signal === SIGTRAP ? { kind: 'interrupt' } : { kind: 'group-stop', signal }
  if (event !== 0) return { kind: 'event', event }
  if (signal === (SIGTRAP | 0x80)) return { kind: 'syscall' }
  return { kind: 'signal', signal }
}

/** The next stop or end of that one task. wait4(−1) is never used: it scans all tracees. */
export function waitStop(tid: HostPid): Stop {
  const stop = waitAny(tid, 0)
  if (!stop) fail({ code: 'internal', reason: `wait4(${tid}) returned nothing` })
  return stop.stop
}

/** As waitStop, but returns undefined where nothing has happened yet. */
export function tryWaitStop(tid: HostPid): Stop | undefined {
  return waitAny(tid, WNOHANG)?.stop
}

/** wait4 of a task, with its pid; undefined with WNOHANG and nothing to tell. */
export function waitAny(pid: HostPid, flags: number): { pid: HostPid; stop: Stop } | undefined {
  using s = scratch()
  const status = s.take(8)
  for (;;) {
    const result = sysOnce('wait4', pid, status.address, flags | WALL, 0)
    if (result === -Errno.EINTR) {
      reapThreads(pid)
      continue
    }
    if (result < 0) fail({ code: 'syscall', operation: 'wait4', errno: -result, pid, kind: 'task' })
    if (result === 0) return undefined
    return { pid: hostPid(result), stop: decodeStatus(status.view.getInt32(0, true)) }
  }
}

/** Waits for the end of a child: its status as wait4 tells it. */
export function waitForStatus(pid: HostPid): number {
  using s = scratch()
  const status = s.take(8)
  checked(sys('wait4', pid, status.address, WALL, 0), 'wait4', { pid, kind: 'child' })
  return status.view.getInt32(0, true)
}

/**
 * The end of a leader is told only once every other thread of its group was waited for; those that are
 * tracees of ours wait for us. A blocked wait comes here by the heartbeat; one that polls must ask.
 */
export function reapThreads(pid: HostPid): void {
  if (tryReadStat(`/proc/${pid}`)?.state !== 'Z') return
  using s = scratch()
  const status = s.take(8)
  for (const tid of tryListThreads(`/proc/${pid}`) ?? [])
    if (tid !== pid) sys('wait4', tid, status.address, WNOHANG | WALL, 0)
}

export function describeStop(stop: Stop): string {
  switch (stop.kind) {
    case 'signal':
      return `stopped at signal ${stop.signal}`
    case 'syscall':
      return 'stopped at a system call'
    case 'interrupt':
      return 'stopped by interrupt'
    case 'group-stop':
      return `in a group-stop by signal ${stop.signal}`
    case 'event':
      return `stopped at event ${stop.event}`
    case 'exited':
      return `exited with ${stop.code}`
    case 'killed':
      return `killed by signal ${stop.signal}`
    default: {
      const never: never = stop
      return never
    }
  }
}

import { asRestartable } from '../arch/x86_64/untimed-calls.ts'
import { CriuError, fail } from '../errors/error.ts'
import type { Deadline } from '../job/deadline.ts'
import { PTRACE, PTRACE_O } from '../kernel/constants/ptrace.ts'
import { Errno } from '../kernel/errno.ts'
import { pause } from '../kernel/pause.ts'
import { tryReadStat } from '../kernel/proc/stat.ts'
import { tryReadStatus } from '../kernel/proc/status.ts'
import { listChildren, tryListThreads } from '../kernel/proc/tasks.ts'
import { detachIfAlive, getRegisters, getSignalMask, ptrace, resume } from '../kernel/ptrace.ts'
import { type HostPid, hostPid, type NsPid } from '../kernel/types.ts'
import { reapThreads, type Stop, tryWaitStop } from '../kernel/wait.ts'
import { ForsakenThreads } from './forsaken.ts'
import { withoutIoWorkers } from './io-workers.ts'
import { waitForEnd } from './release.ts'
import { giveBack, type SeizedProcess, type SeizedThread } from './thread.ts'

/** A process of the tree that is dead already; only its exit code is left. */
export interface Zombie {
  readonly pid: HostPid
  readonly nsPid: NsPid
}

export interface SeizedTree {
  /** In the order in which they were found: parents before children. */
  readonly processes: readonly SeizedProcess[]
  readonly zombies: readonly Zombie[]
}

/** What holds all tasks still until every one has our interrupt pending. */
export interface Stillness {
  thaw(): void
}

interface Held {
  readonly threads: Map<HostPid, SeizedThread>
  readonly forsaken: ForsakenThreads
  stopSignal: number
}

/**
 * Stops every thread of a process and of all its descendants, and looks again until nothing new
 * appears: a task that was not stopped yet may fork or start threads meanwhile. A failure lets go of
 * everything.
 */
export function seizeTree(root: HostPid, deadline: Deadline, stillness?: Stillness): SeizedTree {
  const held = new Map<HostPid, Held>()
  const zombies = new Map<HostPid, Zombie>()
  const begun = new Set<HostPid>()
  try {
    if (stillness) {
      beginAll(root, begun)
      stillness.thaw()
    }
    for (let before = -1; before !== held.size + zombies.size; ) {
      before = held.size + zombies.size
      seizeLevel([root], { held, zombies, begun, deadline })
    }
    if (!held.has(root))
      fail({
        code: 'vanished',
        pid: root,
        reason: zombies.has(root) ? 'it is a zombie' : 'no such process',
      })
    return { processes: [...held].map(toProcess), zombies: [...zombies.values()] }
  } catch (error) {
    for (const tid of begun) detachIfAlive(tid)
    for (const [, process] of held) for (const tid of process.threads.keys()) detachIfAlive(tid)
    throw error
  }
}

/** As {@link seizeTree}, of one process without its children. */
export function seizeAlone(pid: HostPid, deadline: Deadline): SeizedProcess {
  const held = new Map<HostPid, Held>()
  const zombies = new Map<HostPid, Zombie>()
  try {
    seizeProcess(pid, { held, zombies, begun: new Set(), deadline })
    const process = held.get(pid)
    if (process) return toProcess([pid, process])
    const reason = zombies.has(pid) ? 'it is a zombie' : 'no such process'
    return fail({ code: 'vanished', pid, reason })
  } catch (error) {
    for (const tid of tryListThreads(`/proc/${pid}`) ?? []) detachIfAlive(hostPid(tid))
    throw error
  }
}

interface Seizing {
  readonly held: Map<HostPid, Held>
  readonly zombies: Map<HostPid, Zombie>
  /** Threads that were seized and interrupted, but not waited for. */
  readonly begun: Set<HostPid>
  readonly deadline: Deadline
}

/** Interrupts a whole tree that stands still otherwise: nothing new appears. */
function beginAll(root: HostPid, begun: Set<HostPid>): void {
  for (let level = [root]; level.length > 0; ) {
    for (const pid of level)
      for (const tid of withoutIoWorkers(pid, (tryListThreads(`/proc/${pid}`) ?? []).map(hostPid)))
        if (begin(pid, tid)) begun.add(tid)
    level = level.flatMap((pid) => listChildren('/proc', pid).map(hostPid))
  }
}

/** Stops a generation after the other, the children of those that are held. */
function seizeLevel(pids: readonly HostPid[], seizing: Seizing): void {
  for (let level = pids; level.length > 0; ) {
    for (const pid of level) seizeProcess(pid, seizing)
    const alive = level.filter((pid) => seizing.held.has(pid))
    level = alive.flatMap((pid) => listChildren('/proc', pid).map(hostPid))
  }
}

function seizeProcess(pid: HostPid, { held, zombies, begun, deadline }: Seizing): void {
  if (zombies.has(pid)) return
  const process: Held = held.get(pid) ?? {
    threads: new Map(),
    forsaken: new ForsakenThreads(pid),
    stopSignal: 0,
  }
  for (;;) {
    const tids = (tryListThreads(`/proc/${pid}`) ?? []).map(hostPid)
    const fresh = tids.filter((tid) => !process.threads.has(tid))
    if (fresh.length === 0) break
    const known = fresh.filter((tid) => begun.has(tid))
    const others = fresh.filter((tid) => !begun.has(tid))
    const started = withoutIoWorkers(pid, others).filter((tid) => begin(pid, tid))
    const interrupted = [...known, ...started]
    for (const tid of interrupted) hold(pid, tid, process, deadline)
    if (process.threads.size > 0) held.set(pid, process)
    if (interrupted.length === 0) break
  }
  if (process.threads.size > 0) return
  const status = tryReadStatus(`/proc/${pid}`)
  if (status?.state === 'Z') zombies.set(pid, { pid, nsPid: status.innermost.pid })
}

/** SEIZE and INTERRUPT; false where the thread is dead. */
function begin(pid: HostPid, tid: HostPid): boolean {
  const result = ptrace(PTRACE.SEIZE, tid, 0, 0)
  if (result === -Errno.ESRCH) return false
  if (result < 0) {
    const state = tryReadStat(`/proc/${pid}/task/${tid}`)?.state
    if (state === undefined || state === 'Z' || state === 'X') return false
    return refuse(pid, tid, -result)
  }
  ptrace(PTRACE.INTERRUPT, tid)
  return true
}

function refuse(pid: HostPid, tid: HostPid, errno: number): never {
  const tracer = tryReadStatus(`/proc/${pid}/task/${tid}`)?.tracerPid ?? 0
  if (tracer)
    fail({
      code: 'conflict',
      pid,
      reason: `it is traced by process ${tracer}`,
      remedy: `detach the debugger (pid ${tracer}) first`,
    })
  return fail({
    code: 'syscall',
    operation: 'ptrace(SEIZE)',
    errno,
    pid: tid,
    remedy: 'run as root, or with CAP_SYS_PTRACE and CAP_CHECKPOINT_RESTORE',
  })
}

/** Waits for the stop that the interrupt brings, and keeps what the thread goes on with. */
function hold(pid: HostPid, tid: HostPid, process: Held, deadline: Deadline): void {
  for (;;) {
    const stop = waitBefore(tid, deadline)
    if (stop.kind === 'exited' || stop.kind === 'killed') return
    if (stop.kind === 'interrupt' || stop.kind === 'group-stop') {
      if (stop.kind === 'group-stop') process.stopSignal = stop.signal
      break
    }
    // The delivery of a signal that was on its way: the interrupt is still to come.
    resume(tid, stop.kind === 'signal' ? stop.signal : 0)
  }
  const nsTid = tryReadStatus(`/proc/${pid}/task/${tid}`)?.innermost.pid
  if (nsTid === undefined)
    fail({ code: 'vanished', pid: tid, reason: 'it died while being stopped' })
  // Only now, when it runs no more: with its filters suspended it must not make a call of its own.
  // Needs CAP_SYS_ADMIN; without it our calls must be within the filter.
  ptrace(PTRACE.SETOPTIONS, tid, 0, PTRACE_O.SUSPEND_SECCOMP)
  const found = asRestartable(getRegisters(tid))
  const forsaken = process.forsaken.find(found)
  if (forsaken?.kind === 'helper') {
    // It goes home whatever has stopped it: we resume it until it has ended.
    resume(tid)
    waitForEnd(tid)
    return
  }
  const { registers, mask } = forsaken?.home ?? { registers: found, mask: getSignalMask(tid) }
  const thread = { tid, nsTid, registers, mask }
  if (forsaken) {
    giveBack(thread)
    process.forsaken.hasLeft(forsaken.home)
  }
  process.threads.set(tid, thread)
}

/** So many polls, a tenth of a millisecond each, and a task may have died instead of stopping. */
const POLLS_TO_LOOK = 500

function waitBefore(tid: HostPid, deadline: Deadline): Stop {
  for (let tries = 0; ; tries++) {
    const stop = tryWaitStop(tid)
    if (stop) return stop
    deadline.check()
    if (tries % POLLS_TO_LOOK === POLLS_TO_LOOK - 1) reapThreads(tid)
    pause(tries < 20 ? 0 : 100)
  }
}

function toProcess([pid, held]: [HostPid, Held]): SeizedProcess {
  const threads = [...held.threads.values()].sort((a, b) => {
    if (a.tid === pid || b.tid === pid) return a.tid === pid ? -1 : 1
    return a.tid - b.tid
  })
  const leader = threads[0]
  if (leader?.tid !== pid)
    throw new CriuError({
      code: 'obstacles',
      obstacles: [
        {
          pid,
          comm: tryReadStat(`/proc/${pid}`)?.comm ?? '',
          where: 'task',
          what: 'a leader that has ended while other threads of the process run on',
          remedy: 'dump it after those threads have ended',
        },
      ],
    })
  return { pid, nsPid: leader.nsTid, threads, stopSignal: held.stopSignal }
}

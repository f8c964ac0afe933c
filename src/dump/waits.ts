import { restartNumber, timedCall } from '../arch/x86_64/timed-calls.ts'
import { CLOCK } from '../kernel/constants/time.ts'
import { scratch } from '../kernel/memory.ts'
import { pause } from '../kernel/pause.ts'
import { tryReadProcFile } from '../kernel/proc/read.ts'
import { tryReadStat } from '../kernel/proc/stat.ts'
import { listChildren, tryListThreads } from '../kernel/proc/tasks.ts'
import { sys } from '../kernel/sys.ts'
import type { HostPid } from '../kernel/types.ts'
import { currentCpu, getAffinity, pinTo, setAffinity } from '../tracee/pin.ts'

/** A thread that sat in a system call with a timeout when we looked, before it was stopped. */
export interface Wait {
  /** CLOCK_MONOTONIC when it fell asleep, nanoseconds. */
  readonly since: number
  /** Context switches that it had behind it. */
  readonly switches: number
  /**
   * The kernel's function that it waits in: of one that was interrupted before, its own number is lost,
   * and once it is stopped the kernel tells of the stop.
   */
  readonly place: string
}

/** First address that a 32-bit program cannot have. */
const COMPAT_END = 1n << 32n

/**
 * Is a thread in a call that the kernel goes on with through its restart block, which nobody can read:
 * `line` is of /proc/PID/syscall. The number of the call is one of i386 where the stack is below 4 GiB.
 */
function isTimed(line: string): boolean {
  const words = line.trim().split(' ')
  const nr = Number.parseInt(words[0] ?? '', 10)
  const stack = words.at(-2)
  if (Number.isNaN(nr) || nr < 0 || stack === undefined) return false
  const compat = BigInt(stack) < COMPAT_END
  return timedCall(nr, compat) !== undefined || nr === restartNumber(compat)
}

/**
 * Since when each thread of a tree sleeps in a call with a timeout. Asked before anything is stopped:
 * an interrupt makes the kernel forget when the wait began. What the scheduler tells of it
 * (/proc/PID/sched) counts in its own clock, so that is compared with ours first.
 */
export function sampleWaits(root: HostPid): Map<HostPid, Wait> {
  const waits = new Map<HostPid, Wait>()
  using clocks = new SchedulerClocks()
  for (const tid of threadsOf(root)) {
    const call = tryReadProcFile(`/proc/${tid}/syscall`)
    if (call === undefined || !isTimed(call)) continue
    const sched = readSched(tid)
    const cpu = tryReadStat(`/proc/${tid}`)?.processor
    const offset = cpu === undefined ? undefined : clocks.offsetOn(cpu)
    if (!sched || offset === undefined) continue
    const place = tryReadProcFile(`/proc/${tid}/wchan`) ?? ''
    waits.set(tid, { since: sched.ran + offset, switches: sched.switches, place })
  }
  return waits
}

/**
 * Whether a thread that is stopped now has slept in one piece since it was looked at: it has gone off
 * the CPU once more, into our stop.
 */
export function isSameWait(tid: HostPid, wait: Wait): boolean {
  const now = readSched(tid)
  return now !== undefined && now.switches <= wait.switches + 1
}

export function monotonicNanos(): number {
  using s = scratch()
  const memory = s.take(16)
  sys('clock_gettime', CLOCK.MONOTONIC, memory.address)
  return Number(memory.view.getBigInt64(0, true)) * 1e9 + Number(memory.view.getBigInt64(8, true))
}

function* threadsOf(root: HostPid): Generator<HostPid> {
  for (let level: number[] = [root]; level.length > 0; ) {
    for (const pid of level)
      for (const tid of tryListThreads(`/proc/${pid}`) ?? []) yield tid as HostPid
    level = level.flatMap((pid) => tryListChildren(pid))
  }
}

/** A process may end while it is looked at. */
function tryListChildren(pid: number): number[] {
  try {
    return listChildren('/proc', pid)
  } catch {
    return []
  }
}

function readSched(tid: number): { ran: number; switches: number } | undefined {
  const text = tryReadProcFile(`/proc/${tid}/sched`)
  if (text === undefined) return undefined
  const value = (name: string) => Number(new RegExp(`^${name} +: +([0-9.]+)`, 'm').exec(text)?.[1])
  const ran = value('se.exec_start') * 1e6
  const switches = value('nr_switches')
  return Number.isFinite(ran) && Number.isFinite(switches) ? { ran, switches } : undefined
}

const TRIES = 3

/**
 * Our clock minus the scheduler's, CPU by CPU: each has its own, which leaves out what interrupts and,
 * in a virtual machine, others took of it; they may be seconds apart.
 */
class SchedulerClocks implements Disposable {
  readonly #offsets = new Map<number, number | undefined>()
  readonly #affinity = getAffinity(0)

  /** Undefined for a CPU that we may not run on. */
  offsetOn(cpu: number): number | undefined {
    if (!this.#offsets.has(cpu)) {
      pinTo(0, cpu)
      this.#offsets.set(cpu, currentCpu() === cpu ? schedulerOffset() : undefined)
    }
    return this.#offsets.get(cpu)
  }

  [Symbol.dispose](): void {
    if (this.#offsets.size > 0) setAffinity(0, this.#affinity)
  }
}

/**
 * On the CPU that we are on: our own entry is fresh just after we were put on it. Asked in this order
 * the result is never too small, whatever comes between, so that no wait is taken for longer than it
 * was.
 */
function schedulerOffset(): number | undefined {
  let least: number | undefined
  const self = sys('gettid')
  for (let i = 0; i < TRIES; i++) {
    pause(20)
    const ours = readSched(self)
    const offset = ours && monotonicNanos() - ours.ran
    if (offset !== undefined && (least === undefined || offset < least)) least = offset
  }
  return least
}

import type { Messages } from '../../images/gen/messages.ts'
import { SI } from '../../kernel/constants/signals.ts'
import { TIMER } from '../../kernel/constants/time.ts'
import { itimerspec, siginfoTimer, timespec } from '../../kernel/layout/index.ts'
import type { Table } from '../../kernel/table.ts'
import type { RestoreTask } from '../restore-model.ts'
import { intervalOf, leftOf, now, split } from './nanos.ts'

type TimerEntry = Messages['posix_timer_entry']
type Entry = Messages['siginfo_entry']

/** Nanoseconds until a timer whose time is past has sent its signal. */
export const GRACE = 200_000n

/** Id of the timer that a pending signal came from; undefined for another signal. */
export function timerOf(info: Uint8Array): number | undefined {
  const { code, timerid } = siginfoTimer.decode(info)
  return code === SI.TIMER ? timerid : undefined
}

/**
 * The pending signals that timers of the process have sent. They are not queued but sent by the timer
 * again: the kernel counts overruns, and arms a periodic timer anew, at the delivery of its own signal
 * alone.
 */
export function pendingTimers(task: RestoreTask): ReadonlyMap<Entry, TimerEntry> {
  const { tc } = task.core
  const waiting = new Map((tc?.timers?.posix ?? []).map((timer) => [timer.it_id, timer]))
  const found = new Map<Entry, TimerEntry>()
  const queues = [tc?.signals_s, ...task.threads.map(({ core }) => core.thread_core?.signals_p)]
  for (const entry of queues.flatMap((queue) => queue?.signals ?? [])) {
    const id = timerOf(entry.siginfo)
    const timer = id === undefined ? undefined : waiting.get(id)
    if (!timer || timer.si_signo !== siginfoTimer.decode(entry.siginfo).signo) continue
    // A timer has one signal pending at most.
    waiting.delete(timer.it_id)
    found.set(entry, timer)
  }
  return found
}

/** Sets a timer to a time that is past: its last one, where it is periodic. */
export function fireTimer(timer: TimerEntry, table: Table): void {
  const clock = timer.clock_id | 0
  const interval = intervalOf(timer)
  const last = clock < 0 || interval === 0n ? 0n : now(clock) + leftOf(timer) - interval
  const value = split(last > 0n ? last : 1n)
  const past = itimerspec.encode({ interval: split(interval), value })
  table.call('timer_settime', timer.it_id, TIMER.ABSTIME, table.data(past), 0)
  table.call('nanosleep', table.data(timespec.encode(split(GRACE))), 0)
}

import type { Messages } from '../../images/gen/messages.ts'
import { signalSet } from '../../kernel/constants/signals.ts'
import { TIMER } from '../../kernel/constants/time.ts'
import { itimerspec, siginfo, timespec } from '../../kernel/layout/index.ts'
import type { Table } from '../../kernel/table.ts'
import { intervalOf, leftOf, now, SECOND, split } from './nanos.ts'
import { GRACE } from './pending-timers.ts'

type TimerEntry = Messages['posix_timer_entry']

const SIGSET_SIZE = 8

/**
 * Arms a periodic timer so that timer_getoverrun tells the same as before. Only a delivery sets that
 * number: the timer is set to a time so long ago that it has run over as often, its signal (blocked,
 * as all are) is taken, and the timer goes on at its next time with what was left of it. False where
 * that cannot be: a CPU clock, or a clock that has not run for so long; the number is 0 then.
 */
export function armWithOverruns(timer: TimerEntry, table: Table): boolean {
  const interval = intervalOf(timer)
  const left = leftOf(timer)
  const clock = timer.clock_id | 0
  if (timer.overrun === 0 || interval === 0n || left > interval || clock < 0) return false
  const start = now(clock) + left - BigInt(timer.overrun + 1) * interval
  if (start <= 0n) return false
  const past = itimerspec.encode({ interval: split(interval), value: split(start) })
  const set = table.data(new Uint8Array(BigUint64Array.of(signalSet(timer.si_signo)).buffer))
  const grace = table.data(timespec.encode(split(GRACE)))
  const patience = table.data(timespec.encode(split(SECOND)))
  table.call('timer_settime', timer.it_id, TIMER.ABSTIME, table.data(past), 0)
  table.call('nanosleep', grace, 0)
  table.call('rt_sigtimedwait', set, table.space(siginfo.size), patience, SIGSET_SIZE)
  return true
}

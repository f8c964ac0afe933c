import type { Messages } from '../../images/gen/messages.ts'
import { SI, SIG } from '../../kernel/constants/signals.ts'
import { ITIMER } from '../../kernel/constants/time.ts'
import { itimerval, siginfo } from '../../kernel/layout/index.ts'
import type { Table } from '../../kernel/table.ts'
import type { TaskAspect } from '../contract.ts'
import type { DumpTask } from '../dump-model.ts'
import { pendingOf } from './pending-signals.ts'
import {
  armPosixTimers,
  askPosixTimers,
  beginTimerIds,
  checkPosixTimers,
  createPosixTimers,
  endTimerIds,
} from './posix-timers.ts'
import { askTimerOwners } from './timer-owners.ts'

type ItimerEntry = Messages['itimer_entry']

const kinds = [
  ['real', ITIMER.REAL],
  ['virt', ITIMER.VIRTUAL],
  ['prof', ITIMER.PROF],
] as const

/**
 * Interval timers and POSIX timers. They are created once all threads exist (a timer may belong to
 * one), and armed last: a signal that comes early stays pending, since all are blocked until then.
 */
export const timers: TaskAspect = {
  name: 'timers',

  collect: checkPosixTimers,

  askProcess(task, table) {
    const intervals = kinds.map(([name, which]) => ({ name, read: askInterval(table, which) }))
    const readPosix = askPosixTimers(task, table)
    return () => {
      const found = Object.fromEntries(intervals.map(({ name, read }) => [name, read()]))
      const { real, virt, prof } = found as Record<'real' | 'virt' | 'prof', ItimerEntry>
      task.core.timers = { real: settled(task, real), virt, prof, posix: readPosix() }
    }
  },

  askThread: askTimerOwners,

  connectProcess: beginTimerIds,

  placeThread(task, thread, table, restore) {
    createPosixTimers(task, thread, table, restore)
  },

  finishThread(task, thread, table) {
    if (thread === task.threads[0]) endTimerIds(task, table)
    armPosixTimers(task, thread, table)
    const entry = task.core.tc?.timers
    if (thread !== task.threads[0] || !entry) return
    placeInterval(table, ITIMER.REAL, afterSignal(entry.real))
    placeInterval(table, ITIMER.VIRTUAL, entry.virt)
    placeInterval(table, ITIMER.PROF, entry.prof)
  },
}

function askInterval(table: Table, which: number): () => ItimerEntry {
  const slot = table.space(itimerval.size)
  table.call('getitimer', which, slot)
  return () => {
    const { interval, value } = itimerval.decode(slot.bytes)
    return { isec: interval.sec, iusec: interval.usec, vsec: value.sec, vusec: value.usec }
  }
}

/**
 * The kernel arms ITIMER_REAL anew only at the delivery of its signal: while that is pending, nothing
 * is left of its time. It may also have gone off since it was asked.
 */
function settled(task: DumpTask, real: ItimerEntry): ItimerEntry {
  const fired = pendingOf(task).process.some((info) => {
    const { signo, code } = siginfo.decode(info)
    return signo === SIG.ALRM && code === SI.KERNEL
  })
  return fired ? { ...real, vsec: 0n, vusec: 0n } : real
}

/** A periodic ITIMER_REAL that has gone off goes on with its interval. */
const afterSignal = (real: ItimerEntry): ItimerEntry =>
  real.vsec === 0n && real.vusec === 0n ? { ...real, vsec: real.isec, vusec: real.iusec } : real

function placeInterval(table: Table, which: number, entry: ItimerEntry): void {
  if (entry.vsec === 0n && entry.vusec === 0n) return
  const value = itimerval.encode({
    interval: { sec: entry.isec, usec: entry.iusec },
    value: { sec: entry.vsec, usec: entry.vusec },
  })
  table.call('setitimer', which, table.data(value), 0)
}

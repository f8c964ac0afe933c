import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { PR, PR_TIMER_CREATE_RESTORE_IDS } from '../../kernel/constants/prctl.ts'
import { SIGEV } from '../../kernel/constants/signals.ts'
import { CLOCK } from '../../kernel/constants/time.ts'
import { itimerspec, sigevent } from '../../kernel/layout/index.ts'
import { type ProcTimer, readTimers } from '../../kernel/proc/timers.ts'
import { sys } from '../../kernel/sys.ts'
import type { Table } from '../../kernel/table.ts'
import type { DumpContext, DumpTask } from '../dump-model.ts'
import type { RestoreContext, RestoreTask, RestoreThread } from '../restore-model.ts'
import { restoredTask, taskExtra } from '../task-extra.ts'
import { leftOf } from './nanos.ts'
import { pendingOf } from './pending-signals.ts'
import { pendingTimers, timerOf } from './pending-timers.ts'
import { refuse, stopAt } from './refuse.ts'
import { armWithOverruns } from './timer-overruns.ts'
import { OWN_THREAD_CLOCK, threadClock } from './timer-owners.ts'

type TimerEntry = Messages['posix_timer_entry']

const NOTIFY = { signal: SIGEV.SIGNAL, none: SIGEV.NONE, thread: SIGEV.THREAD } as const

/** Before anything is touched. */
export function checkPosixTimers(task: DumpTask, dump: DumpContext): void {
  const tids = new Set<number>(task.threads.map(({ seized }) => seized.tid))
  for (const { id, toThread, target } of readTimers(task.proc))
    if (toThread && !tids.has(target))
      refuse(dump, task, `timer ${id} for a thread that has ended`, 'delete the timer first')
}

/** Asks for the rest of what /proc/PID/timers tells; ascending, as a restore creates them. */
export function askPosixTimers(task: DumpTask, table: Table): () => TimerEntry[] {
  const found = readTimers(task.proc).sort((a, b) => a.id - b.id)
  const answers = found.map((timer) => {
    const slot = table.space(itimerspec.size)
    table.call('timer_gettime', timer.id, slot)
    return { timer, slot, overrun: table.call('timer_getoverrun', timer.id) }
  })
  return () => {
    const fired = firedTimers(task)
    return answers.map(({ timer, slot, overrun }) => {
      const { interval, value: left } = itimerspec.decode(slot.bytes)
      // It went off once, maybe since it was asked.
      const spent = fired.has(timer.id) && interval.sec === 0n && interval.nsec === 0n
      const value = spent ? { sec: 0n, nsec: 0n } : left
      checkOwner(task, timer, value.sec === 0n && value.nsec <= 1n)
      return {
        it_id: timer.id,
        clock_id: timer.clockId >>> 0,
        si_signo: timer.signo,
        ...notifyOf(task, timer),
        sival_ptr: timer.value,
        overrun: overrun.number,
        isec: interval.sec,
        insec: interval.nsec,
        vsec: value.sec,
        vnsec: value.nsec,
      }
    })
  }
}

/** Timers whose signal is pending. */
function firedTimers(task: DumpTask): ReadonlySet<number> {
  const { process, ofThread } = pendingOf(task)
  return new Set([process, ...ofThread.values()].flat().flatMap((info) => timerOf(info) ?? []))
}

/**
 * The owner of a timer that is disarmed, or whose time is over (1 ns), does not show (see
 * timer-owners.ts): guess only where it is plain.
 */
function checkOwner(task: DumpTask, timer: ProcTimer, still: boolean): void {
  if (timer.clockId !== OWN_THREAD_CLOCK || task.threads.length === 1 || !still) return
  const target = timer.toThread && task.threads.find(({ seized }) => seized.tid === timer.target)
  if (!target)
    stopAt(
      task,
      `timer ${timer.id}, on the CPU clock of a thread that cannot be told while it is disarmed`,
    )
  taskExtra(task).timers.push({ it_id: timer.id, tid: target.nsTid })
}

function notifyOf(task: DumpTask, timer: ProcTimer) {
  const kind = NOTIFY[timer.notify]
  if (!timer.toThread) return { it_sigev_notify: kind }
  const target = task.threads.find(({ seized }) => seized.tid === timer.target)
  return {
    it_sigev_notify: kind | SIGEV.THREAD_ID,
    notify_thread_id: target?.nsTid ?? 0,
  }
}

/**
 * From here on timer_create takes the id that it is given (Linux 6.15): {@link createPosixTimers} in
 * each thread, then {@link endTimerIds}.
 */
export function beginTimerIds(task: RestoreTask, table: Table): void {
  if (hasTimers(task) && canChooseIds()) restoreIds(table, PR_TIMER_CREATE_RESTORE_IDS.ON)
}

export function endTimerIds(task: RestoreTask, table: Table): void {
  if (hasTimers(task) && canChooseIds()) restoreIds(table, PR_TIMER_CREATE_RESTORE_IDS.OFF)
}

const hasTimers = (task: RestoreTask): boolean => (task.core.tc?.timers?.posix.length ?? 0) > 0

/**
 * Creates timers with their ids, disarmed: each thread those on its own CPU clock, the leader all
 * others. Before Linux 6.15 ids count up: the leader then creates all, and deletes what it created in
 * between; the clock of another thread is named.
 */
export function createPosixTimers(
  task: RestoreTask,
  thread: RestoreThread,
  table: Table,
  restore: RestoreContext,
): void {
  const leader = task.threads[0]!
  const owners = new Map(
    restoredTask(task, restore)?.timers.map(({ it_id, tid }) => [it_id, tid] as const),
  )
  const ownerOf = (timer: TimerEntry): number => {
    const own = (timer.clock_id | 0) === OWN_THREAD_CLOCK
    return (own ? owners.get(timer.it_id) : undefined) ?? leader.nsTid
  }
  const byId = canChooseIds()
  if (!byId && thread !== leader) return
  let next = 0
  for (const timer of [...(task.core.tc?.timers?.posix ?? [])].sort((a, b) => a.it_id - b.it_id)) {
    const owner = ownerOf(timer)
    if (byId && owner !== thread.nsTid) continue
    if (!byId) skipIds(next, timer.it_id, task, table)
    createTimer(timer, owner === thread.nsTid ? timer.clock_id | 0 : threadClock(owner), table)
    next = timer.it_id + 1
  }
}

const canChooseIds = (): boolean =>
  sys('prctl', PR.TIMER_CREATE_RESTORE_IDS, PR_TIMER_CREATE_RESTORE_IDS.GET, 0, 0, 0) >= 0

function restoreIds(table: Table, how: number): void {
  table.call('prctl', PR.TIMER_CREATE_RESTORE_IDS, how, 0, 0, 0)
}

/** So many may be made in vain: each costs two records of a table. */
const MOST_SKIPPED = 2000

function skipIds(from: number, to: number, task: RestoreTask, table: Table): void {
  if (to - from > MOST_SKIPPED)
    fail({
      code: 'conflict',
      pid: task.nsPid,
      reason: `its timer ${to} is too far behind the one before it for this kernel`,
      remedy: 'restore on Linux 6.15 or later, where timers are created by their id',
    })
  const event = table.data(sigevent.encode({ notify: SIGEV.NONE }))
  const answer = table.space(8)
  for (let id = from; id < to; id++) {
    table.call('timer_create', CLOCK.MONOTONIC, event, answer)
    table.call('timer_delete', id)
  }
}

function createTimer(timer: TimerEntry, clock: number, table: Table): void {
  const event = sigevent.encode({
    value: timer.sival_ptr,
    signo: timer.si_signo,
    notify: timer.it_sigev_notify,
    tid: timer.notify_thread_id ?? 0,
  })
  const id = table.space(8)
  id.view.setInt32(0, timer.it_id, true)
  table.call('timer_create', clock, table.data(event), id)
}

/**
 * With the time that was left; a disarmed timer is left as it was created. Each timer is armed by the
 * thread that its signal goes to, which is the leader unless one is named. Those whose signal is
 * pending are armed as it is sent again.
 */
export function armPosixTimers(task: RestoreTask, thread: RestoreThread, table: Table): void {
  const leader = task.threads[0]!.nsTid
  const pending = new Set(pendingTimers(task).values())
  for (const timer of task.core.tc?.timers?.posix ?? []) {
    if ((timer.notify_thread_id ?? leader) !== thread.nsTid) continue
    if (leftOf(timer) === 0n || pending.has(timer)) continue
    if (armWithOverruns(timer, table)) continue
    const value = itimerspec.encode({
      interval: { sec: timer.isec, nsec: timer.insec },
      value: { sec: timer.vsec, nsec: timer.vnsec },
    })
    table.call('timer_settime', timer.it_id, 0, table.data(value), 0)
  }
}

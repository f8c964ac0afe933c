import { itimerspec } from '../../kernel/layout/index.ts'
import { readTimers } from '../../kernel/proc/timers.ts'
import type { Table } from '../../kernel/table.ts'
import type { ReadAnswers } from '../contract.ts'
import type { DumpTask, DumpThread } from '../dump-model.ts'
import { taskExtra } from '../task-extra.ts'

/**
 * What the kernel makes of CLOCK_THREAD_CPUTIME_ID at timer_create: the CPU clock of «the thread that
 * calls», of which nothing later tells which it was (kernel/time/posix-cpu-timers.c).
 */
export const OWN_THREAD_CLOCK = -2

/** CPU clock of a named thread, as pthread_getcpuclockid gives it. */
export const threadClock = (tid: number): number => (~tid << 3) | 6

/** System calls between two looks at a timer: some microseconds of CPU time. */
const WORK = 16

/**
 * Finds the thread that a timer on «its own» CPU clock belongs to. Each thread looks twice at the
 * remaining time, with some work between: all others stand still, so that only the clock of the one
 * that looks has moved.
 */
export function askTimerOwners(
  task: DumpTask,
  thread: DumpThread,
  table: Table,
): ReadAnswers | undefined {
  if (task.threads.length === 1) return undefined
  const timers = readTimers(task.proc).filter(({ clockId }) => clockId === OWN_THREAD_CLOCK)
  if (timers.length === 0) return undefined
  const before = timers.map(({ id }) => remaining(table, id))
  for (let i = 0; i < WORK; i++) table.call('gettid')
  const after = timers.map(({ id }) => remaining(table, id))
  return () => {
    for (const [i, { id }] of timers.entries())
      if (before[i]!() !== after[i]!())
        taskExtra(task).timers.push({ it_id: id, tid: thread.nsTid })
  }
}

function remaining(table: Table, id: number): () => bigint {
  const slot = table.space(itimerspec.size)
  table.call('timer_gettime', id, slot)
  return () => {
    const { value } = itimerspec.decode(slot.bytes)
    return value.sec * 1_000_000_000n + value.nsec
  }
}

import { KCMP } from '../../kernel/constants/kcmp.ts'
import { PR } from '../../kernel/constants/prctl.ts'
import { CLONE } from '../../kernel/constants/sched.ts'
import { SIG } from '../../kernel/constants/signals.ts'
import { Errno } from '../../kernel/errno.ts'
import { cloneArgs } from '../../kernel/layout/sched.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, spawnTable, sys } from '../../kernel/sys.ts'
import { type Result, Table } from '../../kernel/table.ts'
import { type HostPid, hostPid } from '../../kernel/types.ts'
import { waitStop } from '../../kernel/wait.ts'
import type { Runner } from '../../tracee/run.ts'
import type { DumpContext, DumpTask } from '../dump-model.ts'
import { refuseTask } from './refuse-task.ts'
import { encodeOps, impossible, ladder, type SemOp } from './sem-ladder.ts'

/** A semaphore whose adjustment is asked for. */
export interface AskedSem {
  readonly semid: number
  readonly num: number
  readonly value: number
}

export interface Adjustment extends AskedSem {
  readonly adj: number
}

/** Range of an adjustment (ipc/sem.c: −SEMAEM − 1 to SEMAEM). */
const LEAST = -32768
const SPAN = 65536
/** Bytes left in a table that one more question may take. */
const ROOM = 512

/**
 * Which tasks have a list of adjustments (sysv semundo) at all: each process that has more than one
 * thread or has used SEM_UNDO. kcmp(2) tells by comparison with one that has none. Lists that are
 * shared in ways that a restore cannot make are refused.
 */
export function tasksWithUndo(dump: DumpContext): Set<DumpTask> {
  using none = spawnWithout()
  const found = new Set<DumpTask>()
  for (const task of dump.tasks) {
    const hasNone = same(task.pid, none.pid)
    if (!hasNone) found.add(task)
    const other = task.threads.find(({ seized }) => !same(seized.tid, task.pid))
    if (other)
      refuseTask(dump, task, `thread ${other.seized.tid}: semaphore adjustments of its own`)
  }
  return found
}

/** Another task that shares the list of one. */
export const sharerOf = (task: DumpTask, tasks: Iterable<DumpTask>): DumpTask | undefined =>
  [...tasks].find((other) => other !== task && same(other.pid, task.pid))

const same = (a: HostPid, b: HostPid): boolean => sys('kcmp', a, b, KCMP.SYSVSEM, 0, 0) === 0

/** A process of a moment without a list: made without CLONE_SYSVSEM, it waits for its end. */
function spawnWithout(): { readonly pid: HostPid } & Disposable {
  using s = scratch()
  const table = new Table(s.take(1024))
  table.call('prctl', PR.SET_PDEATHSIG, SIG.KILL)
  table.call('pause')
  // Not CLONE_VM: the table must stay as it is while the child runs it.
  const args = cloneArgs.encode({ flags: CLONE.FILES })
  const pid = hostPid(checked(spawnTable(args, table), 'clone3 of a process of a moment'))
  return {
    pid,
    [Symbol.dispose]: () => {
      sys('kill', pid, SIG.KILL)
      waitStop(pid)
    },
  }
}

/**
 * Asks a task for its adjustments, which nothing shows: semop checks an adjustment's range (ERANGE)
 * before a later operation that cannot be done at once (EAGAIN), and does all or nothing. So a ladder up
 * to the limit tells how far away it is, and changes nothing; halves find it in 17 rounds. Of sets that
 * the task may not change nothing is told: they are `denied`.
 */
export function askAdjustments(
  sems: readonly AskedSem[],
  runner: Runner,
): { readonly found: readonly Adjustment[]; readonly denied: ReadonlySet<number> } {
  // Zero is in the middle: it can go down by 32768 and no further.
  const answers = ask([...stepsOf(sems, -LEAST), ...stepsOf(sems, 1 - LEAST)], runner)
  const denied = new Set(sems.filter((_, i) => answers[i] === 'denied').map(({ semid }) => semid))
  const open = sems.filter((_, i) => {
    const [down, further] = [answers[i], answers[sems.length + i]]
    return down !== 'denied' && !(down === 'yes' && further === 'no')
  })
  const low = open.map(() => 0)
  const high = open.map(() => SPAN)
  for (let width = SPAN; width > 1 && open.length > 0; width /= 2) {
    const middles = open.map((sem, i) => ({ sem, by: (low[i]! + high[i]!) / 2 }))
    for (const [i, answer] of ask(middles, runner).entries())
      if (answer === 'yes') low[i] = middles[i]!.by
      else high[i] = middles[i]!.by
  }
  const found = open.map((sem, i) => ({ ...sem, adj: low[i]! + LEAST }))
  return { found: found.filter(({ adj }) => adj !== 0), denied }
}

interface Question {
  readonly sem: AskedSem
  readonly by: number
}

const stepsOf = (sems: readonly AskedSem[], by: number): Question[] =>
  sems.map((sem) => ({ sem, by }))

/** Can an adjustment go down by so much. */
type Answer = 'yes' | 'no' | 'denied'

function ask(questions: readonly Question[], runner: Runner): Answer[] {
  const answers: Answer[] = []
  for (let at = 0; at < questions.length; ) {
    const table = runner.table()
    const results = []
    for (; at < questions.length && table.room > ROOM; at++) {
      const { sem, by } = questions[at]!
      const ops: SemOp[] = [...ladder(sem.num, sem.value, by), ...impossible(sem.num)]
      results.push(table.attempt('semop', sem.semid, table.data(encodeOps(ops)), ops.length))
    }
    runner.run(table, 'ask for its semaphore adjustments')
    answers.push(...results.map(answerOf))
  }
  return answers
}

function answerOf({ number }: Result): Answer {
  if (number === -Errno.EAGAIN) return 'yes'
  return number === -Errno.ERANGE ? 'no' : 'denied'
}

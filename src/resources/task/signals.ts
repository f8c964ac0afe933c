import { NSIG, SI, SIG, SS } from '../../kernel/constants/signals.ts'
import {
  kernelSigaction,
  kernelSigaction32,
  siginfo,
  siginfoTimer,
  stackT,
} from '../../kernel/layout/index.ts'
import { sys } from '../../kernel/sys.ts'
import type { Slot, Table } from '../../kernel/table.ts'
import type { TaskAspect } from '../contract.ts'
import type { DumpTask } from '../dump-model.ts'
import type { RestoreTask } from '../restore-model.ts'
import { isCompatDump, isCompatRestore } from '../task-abi.ts'
import { pendingOf } from './pending-signals.ts'
import { fireTimer, pendingTimers } from './pending-timers.ts'
import { stopAt } from './refuse.ts'

const SIGSET_SIZE = 8

/** All signals but SIGKILL and SIGSTOP, which have no action: the order of `sigactions`. */
const withAction = Array.from({ length: NSIG }, (_, i) => i + 1).filter(
  (signal) => signal !== SIG.KILL && signal !== SIG.STOP,
)

/**
 * Signal actions, blocked and pending signals, alternate stacks. The masks themselves are set by the
 * core of restore, last of all and from outside: until then all signals stay blocked, so that what is
 * queued here stays pending.
 */
export const signals: TaskAspect = {
  name: 'signals',

  collect(task) {
    const [leader, ...others] = task.threads
    task.core.blk_sigset = leader!.seized.mask
    for (const thread of others) thread.core.blk_sigset = thread.seized.mask
    if (task.seized.stopSignal) task.core.stop_signo = task.seized.stopSignal
  },

  askProcess(task, table) {
    const slots = withAction.map((signal) => {
      const action = table.space(kernelSigaction.size)
      table.call('rt_sigaction', signal, 0, action, SIGSET_SIZE)
      return action
    })
    // The kernel does not tell which of its two ABIs an action was set by; a 32-bit program uses one.
    const compat = isCompatDump(task)
    return () => {
      collectPending(task)
      task.core.sigactions = slots.map(({ bytes }) => {
        const { handler, flags, restorer, mask } = kernelSigaction.decode(bytes)
        return { sigaction: handler, flags, restorer, mask, compat_sigaction: compat }
      })
    }
  },

  askThread(_task, thread, table) {
    const old = table.space(stackT.size)
    table.call('sigaltstack', 0, old)
    return () => {
      const { sp, flags, size } = stackT.decode(old.bytes)
      // ONSTACK tells of the stack pointer that the question was asked with, not of the thread's.
      const ss_flags = (flags & ~SS.ONSTACK) >>> 0
      thread.core.sas = { ss_sp: sp, ss_size: size, ss_flags }
    }
  },

  placeThread(task, thread, table) {
    const sas = thread.core.thread_core?.sas
    if (sas && !(sas.ss_flags & SS.DISABLE)) {
      const flags = (sas.ss_flags & ~SS.ONSTACK) | 0
      const stack = stackT.encode({ sp: sas.ss_sp, flags, size: sas.ss_size })
      table.call('sigaltstack', table.data(stack), 0)
    }
    if (thread === task.threads[0]) placeActions(task, table)
  },

  finishThread(task, thread, table) {
    const fromTimers = pendingTimers(task)
    const sendAll = (entries: readonly Entry[] = [], send: (signo: number, info: Slot) => void) => {
      for (const entry of entries) {
        const timer = fromTimers.get(entry)
        if (timer) fireTimer(timer, table)
        else if (!isStop(entry)) send(signoOf(entry), table.data(withoutTimer(entry.siginfo)))
      }
    }
    // Only to itself a task may send a siginfo of any code (kernel/signal.c, do_rt_sigqueueinfo).
    if (thread === task.threads[0])
      sendAll(task.core.tc?.signals_s?.signals, (signo, info) =>
        table.call('rt_sigqueueinfo', task.nsPid, signo, info),
      )
    sendAll(thread.core.thread_core?.signals_p?.signals, (signo, info) =>
      table.call('rt_tgsigqueueinfo', task.nsPid, thread.nsTid, signo, info),
    )
  },

  finishOutside(task, thread) {
    // A pending SIGSTOP cannot be blocked: queued any earlier, it would be delivered at once.
    const stops = thread.core.thread_core?.signals_p?.signals.some(isStop)
    if (stops) sys('tgkill', task.pid!, thread.tid!, SIG.STOP)
    if (thread === task.threads[0] && task.core.tc?.signals_s?.signals.some(isStop))
      sys('kill', task.pid!, SIG.STOP)
  },
}

type Entry = { readonly siginfo: Uint8Array }

const signoOf = (entry: Entry): number => siginfo.decode(entry.siginfo).signo
const isStop = (entry: Entry): boolean => signoOf(entry) === SIG.STOP

function collectPending(task: DumpTask): void {
  const { process, ofThread } = pendingOf(task)
  task.core.signals_s = queue(task, process, MOST_OF_PROCESS)
  for (const thread of task.threads)
    thread.core.signals_p = queue(task, ofThread.get(thread) ?? [], MOST_OF_THREAD)
}

function queue(task: DumpTask, infos: readonly Uint8Array[], limit: number) {
  if (infos.length > limit) stopAt(task, `${infos.length} pending signals, more than ${limit}`)
  return { signals: infos.map((bytes) => ({ siginfo: bytes })) }
}

/** So many fit into the tables of a leader and of another thread. */
const MOST_OF_PROCESS = 4000
const MOST_OF_THREAD = 600

function placeActions(task: RestoreTask, table: Table): void {
  const actions = task.core.tc?.sigactions ?? []
  const compat = isCompatRestore(task)
  for (const [i, entry] of actions.entries()) {
    const signal = withAction[i]
    if (signal === undefined) break
    const { sigaction: handler, flags, restorer, mask } = entry
    // The kernel keeps by which ABI an action was set: the frame that a handler finds is of that one.
    if (entry.compat_sigaction && compat) {
      const [low, end] = [Number(handler), Number(restorer)]
      const action = { handler: low, flags: Number(flags), restorer: end, mask }
      const slot = table.data(kernelSigaction32.encode(action))
      table.call32('rt_sigaction', signal, slot, 0, SIGSET_SIZE)
      continue
    }
    const action = kernelSigaction.encode({ handler, flags, restorer, mask })
    table.call('rt_sigaction', signal, table.data(action), 0, SIGSET_SIZE)
  }
}

/** Before Linux 6.13 this field made the kernel look for the timer that a signal came from. */
function withoutTimer(info: Uint8Array): Uint8Array {
  const copy = new Uint8Array(siginfo.size)
  copy.set(info.subarray(0, siginfo.size))
  if (siginfo.decode(copy).code === SI.TIMER)
    copy.fill(0, siginfoTimer.offsets.sys_private, siginfoTimer.offsets.sys_private + 4)
  return copy
}

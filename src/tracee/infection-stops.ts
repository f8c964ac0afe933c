import type { Deadline } from '../job/deadline.ts'
import { pause } from '../kernel/pause.ts'
import { interrupt, resume, resumeToSyscall } from '../kernel/ptrace.ts'
import type { HostPid } from '../kernel/types.ts'
import { reapThreads, type Stop, tryWaitStop, waitStop } from '../kernel/wait.ts'
import { unexpectedStop } from './thread.ts'

/**
 * The next stop that is more than the trap of a group-stop: a process that was stopped by a signal
 * shows it again each time that it is continued.
 */
export function waitPastGroupStop(tid: HostPid): Stop {
  for (;;) {
    const stop = waitStop(tid)
    if (stop.kind !== 'group-stop' && stop.kind !== 'interrupt') return stop
    resume(tid)
  }
}

/** Lets a thread run to the next entry or exit of a system call. */
export function toSyscallStop(tid: HostPid): void {
  for (;;) {
    resumeToSyscall(tid)
    const stop = waitStop(tid)
    if (stop.kind === 'syscall') return
    if (stop.kind !== 'group-stop' && stop.kind !== 'interrupt')
      unexpectedStop(tid, 'a system call', stop)
  }
}

/** A call that ends soon is not kept waiting: so many polls before we sleep between them. */
const SHORT_POLLS = 50
const POLL_MICROS = 200
/** So many polls, and the thread may have died instead of stopping. */
const POLLS_TO_LOOK = 500

/**
 * Waits until a thread stops at a signal of ours. What it is in at the deadline is interrupted, and
 * `timeout` thrown, with the thread stopped.
 */
export function waitForSignal(tid: HostPid, signal: number, deadline: Deadline): void {
  for (let polls = 0; ; polls++) {
    const stop = tryWaitStop(tid)
    if (!stop) {
      if (deadline.remaining() === 0) {
        interruptCall(tid, signal)
        deadline.check()
        return
      }
      if (polls % POLLS_TO_LOOK === POLLS_TO_LOOK - 1) reapThreads(tid)
      pause(polls < SHORT_POLLS ? 0 : POLL_MICROS)
    } else if (stop.kind === 'signal') {
      if (stop.signal === signal) return
      resume(tid, stop.signal)
    } else if (stop.kind === 'group-stop' || stop.kind === 'interrupt') resume(tid)
    else unexpectedStop(tid, 'signal', stop)
  }
}

/** It may have come to its end just then: either stop will do. */
function interruptCall(tid: HostPid, signal: number): void {
  interrupt(tid)
  for (;;) {
    const stop = waitStop(tid)
    if (stop.kind === 'interrupt') return
    if (stop.kind === 'signal') {
      if (stop.signal === signal) return
      resume(tid, stop.signal)
    } else if (stop.kind === 'group-stop') resume(tid)
    else unexpectedStop(tid, 'interrupt', stop)
  }
}

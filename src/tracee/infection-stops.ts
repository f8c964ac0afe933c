import { resume, resumeToSyscall } from '../kernel/ptrace.ts'
import type { HostPid } from '../kernel/types.ts'
import { type Stop, waitStop } from '../kernel/wait.ts'
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

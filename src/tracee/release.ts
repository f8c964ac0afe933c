import { PTRACE } from '../kernel/constants/ptrace.ts'
import { SIG } from '../kernel/constants/signals.ts'
import { detachIfAlive, ptrace, setRegisters, setSignalMask } from '../kernel/ptrace.ts'
import { sys } from '../kernel/sys.ts'
import type { HostPid } from '../kernel/types.ts'
import { type Stop, waitStop } from '../kernel/wait.ts'
import { type SeizedProcess, toInterruptStop } from './thread.ts'

/**
 * Lets go of every thread with the registers and mask that it was found with. Each is brought into the
 * stop of an interrupt first: only from there does the kernel restart an interrupted system call. A
 * process that was stopped by a signal stays so, since its group-stop is still in effect.
 */
export function releaseProcess(process: SeizedProcess): void {
  for (const thread of process.threads) {
    toInterruptStop(thread.tid)
    setSignalMask(thread.tid, thread.mask)
    setRegisters(thread.tid, thread.registers)
  }
  for (const thread of process.threads) detachIfAlive(thread.tid)
}

/** As releaseProcess, but leaves the process stopped by SIGSTOP. */
export function releaseStopped(process: SeizedProcess): void {
  if (!process.stopSignal) sys('kill', process.pid, SIG.STOP)
  releaseProcess(process)
}

/**
 * Kills and reaps. Each thread is waited for before its leader, since the leader's end is told only
 * once the others are gone.
 */
export function killProcess(process: SeizedProcess): void {
  sys('kill', process.pid, SIG.KILL)
  const [leader, ...others] = process.threads
  for (const thread of [...others, leader!]) waitForEnd(thread.tid)
}

/** Waits until a tracee has ended; one that somebody else has reaped is gone as well. */
export function waitForEnd(tid: HostPid): void {
  for (;;) {
    const stop = tryWaitForStop(tid)
    if (!stop || stop.kind === 'exited' || stop.kind === 'killed') return
    ptrace(PTRACE.CONT, tid, 0, 0)
  }
}

function tryWaitForStop(tid: HostPid): Stop | undefined {
  try {
    return waitStop(tid)
  } catch {
    return undefined
  }
}

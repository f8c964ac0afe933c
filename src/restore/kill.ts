import { SIG } from '../kernel/constants/signals.ts'
import { tryListThreads } from '../kernel/proc/tasks.ts'
import { sys } from '../kernel/sys.ts'
import { type HostPid, hostPid } from '../kernel/types.ts'
import { waitStop } from '../kernel/wait.ts'

/** A restore that failed leaves no process behind: all are killed, and reaped as far as they are ours. */
export function killAll(made: ReadonlySet<HostPid>): void {
  for (const pid of made) sys('kill', pid, SIG.KILL)
  // Children first: what a tracee's end tells is told to us, whoever its parent is.
  for (const pid of [...made].reverse()) {
    // The end of a leader is told only once all other threads, tracees too, were waited for.
    for (const tid of tryListThreads(`/proc/${pid}`) ?? [])
      if (tid !== pid) waitUntilGone(hostPid(tid))
    waitUntilGone(pid)
  }
}

function waitUntilGone(pid: HostPid): void {
  try {
    for (;;) {
      const stop = waitStop(pid)
      if (stop.kind === 'exited' || stop.kind === 'killed') return
    }
  } catch {
    // No tracee or child of ours any more: its parent or init reaps it.
  }
}

import { decodeFpregs, XSTATE_MAX } from '../arch/x86_64/xstate.ts'
import { fail } from '../errors/error.ts'
import {
  detachIfAlive,
  getRegset,
  NT_X86_XSTATE,
  setRegisters,
  setRegset,
  setSignalMask,
} from '../kernel/ptrace.ts'
import { checked } from '../kernel/sys.ts'
import { setThreadArea } from '../kernel/thread-area.ts'
import type { HostPid } from '../kernel/types.ts'
import type { RestoreTask, RestoreThread } from '../resources/restore-model.ts'
import { singleCall } from '../tracee/stub.ts'
import { toInterruptStop } from '../tracee/thread.ts'
import { type GoOn, prepareToGoOn } from './restart.ts'
import { type LiveTask, owns, type RestoreRun } from './state.ts'

/**
 * Gives every thread the state that it goes on with. The arena is unmapped last of all, by the one
 * whose memory it is, once no other thread runs there any more: the call is caught at its exit, so that
 * nothing is executed where the arena was.
 */
export function finishTasks(run: RestoreRun): void {
  const tasks = [...run.live.values()]
  const ways = new Map<HostPid, GoOn>()
  for (const { task, threads } of tasks)
    task.threads.forEach((thread, i) => {
      ways.set(threads[i]!.pid, prepareToGoOn(task, thread, threads[i]!, run))
    })
  for (const live of tasks)
    live.task.threads.forEach((thread, i) => {
      if (i > 0 || !owns(live, 'vm')) setState(live.task, thread, ways.get(thread.tid!)!)
    })
  for (const live of tasks) {
    if (!owns(live, 'vm')) continue
    const leader = live.task.threads[0]!
    unmapArena(live, run)
    setState(live.task, leader, ways.get(leader.tid!)!)
  }
}

/** Lets all tasks go; children first, so that a parent which runs finds them all. */
export function letGo(run: RestoreRun): void {
  for (const { threads } of [...run.live.values()].reverse())
    for (const { pid } of threads.toReversed())
      if (!detachIfAlive(pid)) fail({ code: 'vanished', pid, reason: 'it died as it was let go' })
}

function setState(
  task: RestoreTask,
  { core, tid }: RestoreThread,
  { registers, waiting }: GoOn,
): void {
  if (waiting) toInterruptStop(tid!)
  const { fpregs, tls } = core.thread_info!
  const current = getRegset(tid!, NT_X86_XSTATE, XSTATE_MAX)
  setRegset(tid!, NT_X86_XSTATE, decodeFpregs(fpregs, current))
  for (const entry of tls) setThreadArea(tid!, entry)
  setRegisters(tid!, registers)
  setSignalMask(tid!, core.thread_core?.blk_sigset ?? task.core.tc?.blk_sigset ?? 0n)
}

function unmapArena({ threads }: LiveTask, { arena }: RestoreRun): void {
  const { pid } = threads[0]!
  const args = [arena.address, BigInt(arena.span)]
  const result = singleCall(pid, arena.syscallInstruction, 'munmap', args)
  checked(result, 'munmap of the arena', { pid })
}

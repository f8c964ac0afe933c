import { decodeFpregs, XSTATE_MAX } from '../arch/x86_64/xstate.ts'
import { fail } from '../errors/error.ts'
import type { Messages } from '../images/gen/messages.ts'
import { PTRACE } from '../kernel/constants/ptrace.ts'
import { userDesc } from '../kernel/layout/registers.ts'
import { scratch } from '../kernel/memory.ts'
import {
  detachIfAlive,
  getRegset,
  mustPtrace,
  NT_X86_XSTATE,
  setRegisters,
  setRegset,
  setSignalMask,
} from '../kernel/ptrace.ts'
import { checked } from '../kernel/sys.ts'
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
  for (const entry of tls) if (!entry.seg_not_present) setThreadArea(tid!, entry)
  setRegisters(tid!, registers)
  setSignalMask(tid!, core.thread_core?.blk_sigset ?? task.core.tc?.blk_sigset ?? 0n)
}

/** Segments of the descriptor table, for 32-bit code and its like (user_desc, asm/ldt.h). */
function setThreadArea(tid: HostPid, entry: Messages['user_desc_t']): void {
  using s = scratch()
  const bits = [
    entry.seg_32bit,
    entry.contents_l,
    entry.contents_h,
    entry.read_exec_only,
    entry.limit_in_pages,
    entry.seg_not_present,
    entry.usable,
  ]
  const flags = bits.reduce((sum, on, i) => sum | (Number(on) << i), 0)
  const { entry_number, base_addr, limit } = entry
  const bytes = userDesc.encode({ entry_number, base_addr, limit, flags })
  const at = s.put(bytes).address
  mustPtrace('ptrace(SET_THREAD_AREA)', PTRACE.SET_THREAD_AREA, tid, entry_number, at)
}

function unmapArena({ threads }: LiveTask, { arena }: RestoreRun): void {
  const { pid } = threads[0]!
  const args = [arena.address, BigInt(arena.span)]
  const result = singleCall(pid, arena.syscallInstruction, 'munmap', args)
  checked(result, 'munmap of the arena', { pid })
}

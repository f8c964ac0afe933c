import { PR } from '../../kernel/constants/prctl.ts'
import { CLONE } from '../../kernel/constants/sched.ts'
import { SIG, SIG_HOW } from '../../kernel/constants/signals.ts'
import { P, W, WAIT_KIND } from '../../kernel/constants/wait.ts'
import { Errno } from '../../kernel/errno.ts'
import { cloneArgs } from '../../kernel/layout/sched.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, spawnTable, sys } from '../../kernel/sys.ts'
import { Table } from '../../kernel/table.ts'
import { type HostPid, hostPid } from '../../kernel/types.ts'

const TABLE_SIZE = 1024
const SIGSET_SIZE = 8
const SIGINFO_SIZE = 128

/**
 * A child that has ended with this status (wait(2)), not reaped until the end of the scope. It has a
 * copy of our memory, not the memory itself: some signals write a core file, for which the kernel
 * ends all who share it.
 */
export function makeDeadProcess(status: number): { readonly pid: HostPid } & Disposable {
  using s = scratch()
  const table = new Table(s.take(TABLE_SIZE))
  const signal = status & 0x7f
  if (signal === 0) table.call('exit_group', (status >> 8) & 0xff)
  else {
    // Else the machine's collector of cores would be told of a crash of criu.
    table.call('prctl', PR.SET_DUMPABLE, 0, 0, 0, 0)
    table.call('rt_sigprocmask', SIG_HOW.SETMASK, table.space(SIGSET_SIZE), 0, SIGSET_SIZE)
    table.call('kill', table.call('getpid'), signal)
  }
  table.call('exit_group', SIG.KILL)
  const args = cloneArgs.encode({ flags: CLONE.CLEAR_SIGHAND })
  const pid = hostPid(checked(spawnTable(args, table), 'clone3'))
  const how = W.EXITED | W.NOWAIT | WAIT_KIND.ALL
  const info = s.take(SIGINFO_SIZE).address
  uninterrupted('waitid', () => sys('waitid', P.PID, pid, info, how, 0))
  return {
    pid,
    [Symbol.dispose]: () => {
      uninterrupted('wait4', () => sys('wait4', pid, 0, WAIT_KIND.ALL, 0))
    },
  }
}

/** Signals of the runtime's own (its collector of garbage stops threads by them) end a wait. */
function uninterrupted(operation: string, call: () => number): void {
  let result = call()
  while (result === -Errno.EINTR) result = call()
  checked(result, operation)
}

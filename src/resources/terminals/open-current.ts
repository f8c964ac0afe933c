import { O } from '../../kernel/constants/fcntl.ts'
import { TIOC } from '../../kernel/constants/ioctl.ts'
import { CLONE } from '../../kernel/constants/sched.ts'
import { ALL_SIGNALS, SIG_HOW } from '../../kernel/constants/signals.ts'
import { WAIT_KIND } from '../../kernel/constants/wait.ts'
import { cloneArgs } from '../../kernel/layout/sched.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, must, spawnTable } from '../../kernel/sys.ts'
import { Table } from '../../kernel/table.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'

const TABLE_SIZE = 1024
const AT_FDCWD = -100

/**
 * Opens /dev/tty so that it leads to a given slave. That needs a session with this terminal: a child
 * of ours, with our descriptors, has one for the moment. It leaves it again before it ends, blocking
 * what the kernel sends then (SIGHUP, SIGCONT); the slave belongs to nobody afterwards.
 */
export function openCurrent(slave: number, flags: number): LocalFd {
  using s = scratch()
  const table = new Table(s.take(TABLE_SIZE))
  const every = table.space(8)
  every.view.setBigUint64(0, ALL_SIGNALS, true)
  table.call('rt_sigprocmask', SIG_HOW.BLOCK, every, 0, 8)
  table.call('setsid')
  table.call('ioctl', slave, TIOC.SCTTY, 0)
  const path = table.string('/dev/tty')
  const opened = table.call('openat', AT_FDCWD, path, flags | O.NOCTTY | O.CLOEXEC, 0)
  table.call('ioctl', slave, TIOC.NOTTY, 0)
  table.call('exit', 0)
  const args = cloneArgs.encode({ flags: CLONE.VM | CLONE.VFORK | CLONE.FILES })
  const pid = checked(spawnTable(args, table), 'clone3')
  must('wait4', pid, 0, WAIT_KIND.ALL, 0)
  const failure = table.failure()
  if (failure) checked(-failure.errno, 'open', { path: '/dev/tty', kind: 'terminal' })
  return localFd(opened.number)
}

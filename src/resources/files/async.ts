import type { Messages } from '../../images/gen/messages.ts'
import { F } from '../../kernel/constants/fcntl.ts'
import { CLONE } from '../../kernel/constants/sched.ts'
import { WAIT_KIND } from '../../kernel/constants/wait.ts'
import { cloneArgs } from '../../kernel/layout/sched.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, must, spawnTable } from '../../kernel/sys.ts'
import { Table } from '../../kernel/table.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { RestoreContext } from '../restore-model.ts'
import { restoreOwner } from './owner.ts'

/** O_ASYNC, FASYNC in the kernel's headers (asm-generic/fcntl.h): signals when it is ready. */
export const O_ASYNC = 0x2000

/** Room for four records. */
const TABLE_SIZE = 512

/**
 * What names tasks, once they are there: the owner, then O_ASYNC. The order matters, since without
 * an owner O_ASYNC tells nobody.
 */
export function connectOwner(
  fd: LocalFd,
  id: number,
  flags: number,
  owner: Messages['fown_entry'],
  restore: RestoreContext,
): void {
  restoreOwner(fd, owner, restore)
  if ((flags & O_ASYNC) === 0) return
  const holder = restore.model.tasks.flatMap(({ fds }) => fds).find((one) => one.id === id)
  if (holder) setAsync(fd, holder.fd, flags)
}

/**
 * Sets O_ASYNC under the number that the descriptor has in its task: the signal's si_fd is the number
 * that fcntl was called with (fs/fcntl.c, fasync_helper). A child with a descriptor table of its own
 * does it, so that nothing of ours is in the way.
 */
function setAsync(fd: LocalFd, number: number, flags: number): void {
  using s = scratch()
  const table = new Table(s.take(TABLE_SIZE))
  if (fd !== number) table.call('dup3', fd, number, 0)
  table.call('fcntl', number, F.SETFL, flags)
  table.call('exit', 0)
  const args = cloneArgs.encode({ flags: CLONE.VM | CLONE.VFORK })
  const pid = checked(spawnTable(args, table), 'clone3')
  must('wait4', pid, 0, WAIT_KIND.ALL, 0)
  const failure = table.failure()
  if (failure) checked(-failure.errno, 'F_SETFL')
}

import { fail } from '../../errors/error.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import { statFd } from '../../kernel/stat.ts'
import { open, owned } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { RestoreContext } from '../restore-model.ts'
import { type DescriptionState, inheritDescription, inheritEnd } from './inherit.ts'
import { bytesIn } from './pipe-content.ts'
import type { PipeSet } from './pipe-restore.ts'

/**
 * A pipe of ours takes the place of the images' one (or of a fifo): whichever end was given, the other
 * one is opened from it where the tree had that as well.
 */
export function inheritPipe(
  pipeId: number,
  state: DescriptionState,
  given: LocalFd,
  set: PipeSet,
  restore: RestoreContext,
): LocalFd {
  const { ino, mode } = statFd(given)
  // Anything else (a file, /dev/null, a socket) is the caller's decision.
  if (fileType(mode) !== 'fifo') return inheritDescription(given, state, restore)
  if ((state.flags & O.ACCMODE) !== O.WRONLY) giveUnread(pipeId, given, ino, set)
  return inheritEnd(given, state, restore)
}

/**
 * What the tree had not read yet is put into the pipe that it reads from now, unless that is the old
 * one, which kept it. What a reader elsewhere had not read is not ours: it lies there still.
 */
function giveUnread(pipeId: number, given: LocalFd, ino: bigint, set: PipeSet): void {
  if (set.unreadOf(pipeId) === 0) return
  const found = bytesIn(given)
  if (found > 0 && Number(BigInt.asUintN(32, ino)) === pipeId) return
  if (found > 0)
    fail({
      code: 'conflict',
      reason: `the pipe that is inherited for pipe:[${pipeId}] holds ${found} bytes already: what the program had not read yet must come before them`,
      remedy: 'give an empty pipe, and write to it once the program runs',
    })
  using writer = owned(open(`/proc/self/fd/${given}`, O.WRONLY | O.NONBLOCK))
  set.fill(pipeId, writer.fd)
}

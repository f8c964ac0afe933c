import { O } from '../../kernel/constants/fcntl.ts'
import { TIOC } from '../../kernel/constants/ioctl.ts'
import { close, must, sys } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import { isLeft, isLocked, tell } from './ends.ts'

/**
 * Runs something with a slave that we open for the moment, by no path (TIOCGPTPEER). Afterwards the
 * master is as before: locked or not, and with the answer to whether a slave has been closed.
 */
export function withPeer<T>(master: number, use: (slave: LocalFd) => T): T {
  const locked = isLocked(master)
  const left = isLeft(master)
  if (locked) tell(master, TIOC.SPTLCK, 0)
  const slave = openPeer(master)
  try {
    return use(slave)
  } finally {
    if (left) close(slave)
    else closeUnnoticed(master, slave)
    if (locked) tell(master, TIOC.SPTLCK, 1)
  }
}

export const openPeer = (master: number, flags = O.RDWR | O.NONBLOCK): LocalFd =>
  localFd(must('ioctl', master, TIOC.GPTPEER, flags | O.NOCTTY | O.CLOEXEC))

/**
 * Closes a slave so that the master does not learn of it: to a master whose slave was never opened,
 * the first close would be an end (EIO instead of waiting).
 *
 * 1. An attempt to open a locked slave marks it as broken (drivers/tty/pty.c, pty_open: TTY_IO_ERROR).
 * 2. The close of a broken one tells nobody (pty_close).
 * 3. The next open that succeeds takes the mark away.
 */
export function closeUnnoticed(master: number, slave: LocalFd): void {
  tell(master, TIOC.SPTLCK, 1)
  const flags = O.RDWR | O.NONBLOCK | O.NOCTTY | O.CLOEXEC
  const extra = sys('ioctl', master, TIOC.GPTPEER, flags)
  if (extra >= 0) close(extra)
  close(slave)
  tell(master, TIOC.SPTLCK, 0)
}

/**
 * Of a master none of whose slaves is open in the tree, and that was not told of the close of one: is
 * a slave open elsewhere. Our own is opened and closed; if that makes the end known, it was the only one.
 */
export function isOpenElsewhere(master: number): boolean {
  if (isLeft(master) || isLocked(master)) return false
  close(openPeer(master))
  if (!isLeft(master)) return true
  closeUnnoticed(master, openPeer(master))
  return false
}

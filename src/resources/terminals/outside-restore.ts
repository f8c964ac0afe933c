import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { F, O } from '../../kernel/constants/fcntl.ts'
import { TIOC } from '../../kernel/constants/ioctl.ts'
import { tryOpenAs } from '../../kernel/open-as.ts'
import { close, must } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import { openRegWith } from '../files/reg-entry.ts'
import type { RestoreContext } from '../restore-model.ts'
import { TTY_TYPE } from './device.ts'
import { tryAsk } from './ends.ts'
import { terminalModel } from './restore-model.ts'
import { applySettings, isTerminal, settingsOf } from './settings.ts'

type InfoEntry = Messages['tty_info_entry']
type TtyEntry = Messages['tty_file_entry']

/** Never as our own controlling terminal, and never waiting for a line to come up. */
const calm = (flags: number): number => (flags & (O.ACCMODE | O.LARGEFILE)) | O.NONBLOCK | O.NOCTTY

/** A terminal that is not made anew: a device by its path, or our own in place of the shell's. */
export function openOutside(entry: TtyEntry, info: InfoEntry, restore: RestoreContext): LocalFd {
  const fd = isDevice(info) ? openDevice(entry, restore) : openOurs(entry, info, restore)
  setOnce(fd, info, restore)
  return fd
}

const isDevice = ({ type }: InfoEntry): boolean =>
  type === TTY_TYPE.CONSOLE || type === TTY_TYPE.VT || type === TTY_TYPE.SERIAL

function openDevice(entry: TtyEntry, restore: RestoreContext): LocalFd {
  const reg = terminalModel(restore).regOf(entry)
  if (reg) return openRegWith(reg, calm(entry.flags), restore)
  const reason = `terminal ${entry.id} has no path`
  return fail({ code: 'image', file: restore.images.pathOf('files'), reason })
}

/**
 * Our own terminal, as a description with flags of its own. Images of a container's terminal, whose
 * master the runtime has, come here only where it does not ask for a new one (`orphan_pts_master`).
 */
function openOurs({ flags }: TtyEntry, info: InfoEntry, { options }: RestoreContext): LocalFd {
  const option = '--shell-job'
  if (!options.shellJob) {
    const reason = 'is needed: the images hold a terminal that was shared with a shell'
    fail({ code: 'option', option, reason })
  }
  if (info.type === TTY_TYPE.CTTY) return reopen('/dev/tty', flags)
  const ours = [0, 1, 2].find(isTerminal)
  if (ours !== undefined) return reopen(`/proc/self/fd/${ours}`, flags)
  return fail({
    code: 'option',
    option,
    reason: 'needs a terminal on standard input, output or error',
    remedy: 'restore from a shell on a terminal',
  })
}

const reopen = (path: string, flags: number): LocalFd => {
  const fd = tryOpenAs(path, calm(flags))
  if (fd >= 0) return localFd(fd)
  return fail({ code: 'syscall', operation: 'open', errno: -fd, path, kind: 'terminal' })
}

/** The name by which `--external` and `--inherit-fd` know a terminal. */
export const inheritedName = ({ rdev, dev }: InfoEntry): string =>
  `tty[${rdev.toString(16)}:${(dev ?? 0).toString(16)}]`

/** A terminal that we were given: several descriptions of it stay several, where that is possible. */
export function openGiven(
  given: LocalFd,
  { flags }: TtyEntry,
  info: InfoEntry,
  restore: RestoreContext,
): LocalFd {
  const path = `/proc/self/fd/${given}`
  // A master opened by its path would be a new one.
  const isSlave = isTerminal(given) && tryAsk(given, TIOC.GPTN) === undefined
  const opened = isSlave ? tryOpenAs(path, calm(flags)) : -1
  const fd = opened >= 0 ? opened : must('fcntl', given, F.DUPFD_CLOEXEC, 0)
  setOnce(localFd(fd), info, restore)
  return localFd(fd)
}

const done = new WeakMap<RestoreContext, Set<number>>()

/** Modes and size as they were; a restore that fails gives back what it found. */
function setOnce(fd: LocalFd, info: InfoEntry, restore: RestoreContext): void {
  const set = done.get(restore) ?? new Set<number>()
  done.set(restore, set)
  if (set.has(info.id) || !info.termios) return
  set.add(info.id)
  const before = settingsOf(fd)
  const kept = localFd(must('fcntl', fd, F.DUPFD_CLOEXEC, 0))
  applySettings(fd, info)
  restore.atEnd((succeeded) => {
    if (!succeeded) applySettings(kept, before)
    close(kept)
  })
}

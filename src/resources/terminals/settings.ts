import type { Messages } from '../../images/gen/messages.ts'
import { TC, TIOC } from '../../kernel/constants/ioctl.ts'
import { SIG, SIG_HOW } from '../../kernel/constants/signals.ts'
import { termios, termios2, winsize } from '../../kernel/layout/files.ts'
import { scratch } from '../../kernel/memory.ts'
import { must, sys } from '../../kernel/sys.ts'
import { type Modes, setModes } from './ends.ts'

type Termios = Messages['termios_entry']

/** What a terminal is set to, whoever has it open. */
export type TtySettings = Pick<
  Messages['tty_info_entry'],
  'exclusive' | 'termios' | 'termios_locked' | 'winsize'
>

/** Asks a terminal; this is allowed from any session. */
export function settingsOf(fd: number): TtySettings {
  using s = scratch()
  const modes = s.take(termios2.size)
  must('ioctl', fd, TC.GETS2, modes.address)
  const locked = s.take(termios.size)
  must('ioctl', fd, TIOC.GLCKTRMIOS, locked.address)
  const size = s.take(winsize.size)
  must('ioctl', fd, TIOC.GWINSZ, size.address)
  const exclusive = s.take(4)
  must('ioctl', fd, TIOC.GEXCL, exclusive.address)
  const { row, col, xpixel, ypixel } = winsize.read(size.view, 0)
  return {
    exclusive: exclusive.view.getInt32(0, true) !== 0,
    termios: termiosEntry(termios2.read(modes.view, 0)),
    termios_locked: termiosEntry({ ...termios.read(locked.view, 0), ispeed: 0, ospeed: 0 }),
    winsize: { ws_row: row, ws_col: col, ws_xpixel: xpixel, ws_ypixel: ypixel },
  }
}

const termiosEntry = (t: ReturnType<typeof termios2.zero>): Termios => ({
  c_iflag: t.iflag,
  c_oflag: t.oflag,
  c_cflag: t.cflag,
  c_lflag: t.lflag,
  c_line: t.line,
  c_ispeed: t.ispeed,
  c_ospeed: t.ospeed,
  c_cc: [...t.cc],
})

/**
 * Sets a terminal's modes and size. A background process would be stopped for it by SIGTTOU; one that
 * blocks the signal may (drivers/tty/tty_jobctrl.c, __tty_check_change).
 */
export function applySettings(fd: number, settings: Partial<TtySettings>): void {
  using s = scratch()
  const before = s.take(8)
  const blocked = s.take(8)
  blocked.view.setBigUint64(0, 1n << BigInt(SIG.TTOU - 1), true)
  must('rt_sigprocmask', SIG_HOW.BLOCK, blocked.address, before.address, 8)
  try {
    if (settings.termios) setModes(fd, modesIn(settings.termios))
    if (settings.winsize) setSize(fd, settings.winsize)
  } finally {
    sys('rt_sigprocmask', SIG_HOW.SETMASK, before.address, 0, 8)
  }
}

/** Modes as an entry has them. Without BOTHER in cflag the kernel makes the speeds from that. */
export const modesIn = (entry: Termios): Modes => ({
  iflag: entry.c_iflag,
  oflag: entry.c_oflag,
  cflag: entry.c_cflag,
  lflag: entry.c_lflag,
  line: entry.c_line,
  cc: Uint8Array.from(entry.c_cc.slice(0, CHARACTERS)),
  ispeed: entry.c_ispeed,
  ospeed: entry.c_ospeed,
})

/** Special characters of the kernel's termios; entries of upstream have more. */
const CHARACTERS = 19

/** Settings that nobody may change: whoever sets them needs CAP_SYS_ADMIN. */
export function setLocked(fd: number, entry: Termios): void {
  using s = scratch()
  const { ispeed: _, ospeed: __, ...locked } = modesIn(entry)
  must('ioctl', fd, TIOC.SLCKTRMIOS, s.put(termios.encode(locked)).address)
}

export function setSize(fd: number, entry: Messages['winsize_entry']): void {
  using s = scratch()
  const size = winsize.encode({
    row: entry.ws_row,
    col: entry.ws_col,
    xpixel: entry.ws_xpixel,
    ypixel: entry.ws_ypixel,
  })
  must('ioctl', fd, TIOC.SWINSZ, s.put(size).address)
}

/** Whether a descriptor is a terminal. */
export function isTerminal(fd: number): boolean {
  using s = scratch()
  return sys('ioctl', fd, TC.GETS, s.take(termios.size).address) === 0
}

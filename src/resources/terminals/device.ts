import { majorOf, makeDev, minorOf } from '../../kernel/proc/device.ts'

/** Majors of terminals (admin-guide/devices). */
const MAJOR = {
  BSD_MASTER: 2,
  BSD_SLAVE: 3,
  TTY: 4,
  SYSTEM: 5,
  PTS_FIRST: 136,
  PTS_LAST: 143,
  USB_MODEM: 166,
  USB_SERIAL: 188,
  LOW_DENSITY_SERIAL: 204,
} as const

/** TtyType of the images. */
export const TTY_TYPE = { PTY: 1, CONSOLE: 2, VT: 3, CTTY: 4, EXT: 5, SERIAL: 6 } as const

export type DeviceKind =
  /** The side of a pseudoterminal that a terminal emulator has: /dev/ptmx. */
  | 'master'
  /** The side that programs have: /dev/pts/N. */
  | 'slave'
  /** /dev/tty: whatever the opener's controlling terminal was. */
  | 'current'
  | 'console'
  | 'virtual console'
  | 'serial line'
  | 'BSD pseudoterminal'

/** What kind of terminal a device number stands for; undefined: none. */
export function deviceKind(rdev: number): DeviceKind | undefined {
  const [major, minor] = [majorOf(rdev), minorOf(rdev)]
  if (major >= MAJOR.PTS_FIRST && major <= MAJOR.PTS_LAST) return 'slave'
  switch (major) {
    case MAJOR.BSD_MASTER:
    case MAJOR.BSD_SLAVE:
      return 'BSD pseudoterminal'
    case MAJOR.TTY:
      return minor < 64 ? 'virtual console' : 'serial line'
    case MAJOR.SYSTEM:
      return systemKinds[minor] ?? 'serial line'
    case MAJOR.USB_MODEM:
    case MAJOR.USB_SERIAL:
    case MAJOR.LOW_DENSITY_SERIAL:
      return 'serial line'
    default:
      return undefined
  }
}

const systemKinds: readonly (DeviceKind | undefined)[] = ['current', 'console', 'master']

/** The device number of every master: 5:2. */
export const MASTER_RDEV = (MAJOR.SYSTEM << 8) | 2

/** N of /dev/pts/N: all of them have the first major (drivers/tty/pty.c, unix98_pty_init). */
export const slaveIndex = (rdev: number): number => minorOf(rdev)
export const slaveRdev = (index: number): number => makeDev(MAJOR.PTS_FIRST, index)

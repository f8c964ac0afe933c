import { TC } from '../../kernel/constants/ioctl.ts'
import { POLL } from '../../kernel/constants/poll.ts'
import { CC, TCFLOW, TERMIOS } from '../../kernel/constants/termios.ts'
import { must } from '../../kernel/sys.ts'
import { type Content, isCanonical, LINE_END, type Line } from './content.ts'
import {
  isReadable,
  LINE_DISCIPLINE_ROOM,
  type Modes,
  modesOf,
  pollNow,
  readOnce,
  setModes,
  waiting,
} from './ends.ts'
import { FLOW } from './own-fields.ts'

/** Both ends of a pseudoterminal, as descriptors of ours. */
export interface Ends {
  readonly master: number
  readonly slave: number
  /** The master is in packet mode. */
  readonly packet: boolean
}

/**
 * Takes out all that lies in a pseudoterminal; undefined where nothing does, and nothing was touched.
 * There is no way to look without taking: whoever takes must put it back at once (fill.ts).
 */
export function takeContent(ends: Ends): Content | undefined {
  const { master, slave, packet } = ends
  const modes = modesOf(slave)
  if (isEmpty(ends, modes)) return undefined
  const packetStatus = packet ? takeStatus(master) : 0
  const output = takeOutput(ends)
  let flow = startOutput(slave)
  const taken = takeInput(slave, modes)
  if ((pollNow(master) & POLL.OUT) === 0) {
    must('ioctl', master, TC.XONC, TCFLOW.TCOON)
    flow |= FLOW.MASTER
  }
  return { ...taken, output, packetStatus, flow }
}

/** A stopped output shows as one that cannot be written to, while nothing lies in the master. */
function isEmpty({ master, slave }: Ends, modes: Modes): boolean {
  const ofMaster = pollNow(master)
  const ofSlave = pollNow(slave)
  if ((ofMaster & POLL.OUT) === 0 || (ofSlave & POLL.OUT) === 0) return false
  if ((ofMaster & POLL.PRI) !== 0 || waiting(master) > 0) return false
  // An end of file counts as a line, and has no bytes.
  if ((ofSlave & POLL.IN) !== 0) return false
  return !(isCanonical(modes) && hasOpenLine(slave, modes))
}

/** Shown by reading without lines alone. Of an empty buffer, the change of modes forgets nothing. */
function hasOpenLine(slave: number, modes: Modes): boolean {
  setModes(slave, { ...modes, lflag: modes.lflag & ~TERMIOS.ICANON })
  if (waiting(slave) > 0) return true
  setModes(slave, modes)
  return false
}

/** The status byte comes alone, before any data (n_tty_read). */
export const takeStatus = (master: number): number =>
  pollNow(master) & POLL.PRI ? readOnce(master, 1)[0]! : 0

function takeOutput({ master, packet }: Ends): Uint8Array {
  const parts: Uint8Array[] = []
  // In packet mode each read begins with TIOCPKT_DATA.
  for (;;) {
    const isTold = (pollNow(master) & POLL.PRI) !== 0
    if (isTold || waiting(master) === 0) return Buffer.concat(parts)
    parts.push(readOnce(master).subarray(packet ? 1 : 0))
  }
}

/** Starts output that was stopped, and tells who stopped it: ^S is not undone by TCOON. */
function startOutput(slave: number): number {
  if (pollNow(slave) & POLL.OUT) return 0
  must('ioctl', slave, TC.XONC, TCFLOW.TCOON)
  return pollNow(slave) & POLL.OUT ? FLOW.CALLED : FLOW.TYPED
}

/**
 * Leaves the slave in modes in which nothing that comes is interpreted: what waits before the line
 * discipline must not be echoed or turned into signals while it is drawn in.
 */
function takeInput(slave: number, modes: Modes): Pick<Content, 'input' | 'lines' | 'processed'> {
  const canonical = isCanonical(modes) && (modesOf(slave).lflag & TERMIOS.ICANON) !== 0
  const quiet = {
    ...modes,
    iflag: 0,
    oflag: modes.oflag & ~TERMIOS.OPOST,
    lflag: modes.lflag & (TERMIOS.EXTPROC | (canonical ? TERMIOS.ICANON : 0)),
    cc: new Uint8Array(modes.cc.length),
  }
  setModes(slave, quiet)
  const lines: Line[] = []
  const parts: Uint8Array[] = []
  let held = 0
  while (canonical && held < LINE_DISCIPLINE_ROOM && isReadable(slave)) {
    const part = readOnce(slave)
    const end = endOf(part, modes)
    held += part.length + (end === LINE_END.EOF ? 1 : 0)
    parts.push(part)
    lines.push({ length: part.length, end })
  }
  if (canonical) setModes(slave, { ...quiet, lflag: quiet.lflag & ~TERMIOS.ICANON })
  const whole = parts.reduce((sum, { length }) => sum + length, 0)
  while (waiting(slave) > 0) {
    parts.push(readOnce(slave))
    pollNow(slave)
  }
  const input = Buffer.concat(parts)
  const processed = Math.min(input.length, whole + Math.max(0, LINE_DISCIPLINE_ROOM - held))
  if (isCanonical(modes) && processed > whole)
    lines.push({ length: processed - whole, end: LINE_END.OPEN })
  return { input, lines, processed }
}

/** A read gives one line. That it ended by VEOF shows by the lack of any other end. */
function endOf(line: Uint8Array, { cc, lflag }: Modes): number {
  const last = line.at(-1)
  const isDelimiter =
    last === 0x0a ||
    (last !== undefined &&
      last !== 0 &&
      (last === cc[CC.VEOL] || (last === cc[CC.VEOL2] && (lflag & TERMIOS.IEXTEN) !== 0)))
  return isDelimiter ? LINE_END.DELIMITER : LINE_END.EOF
}

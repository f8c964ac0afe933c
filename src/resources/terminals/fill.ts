import { TC, TIOCPKT } from '../../kernel/constants/ioctl.ts'
import { POLL } from '../../kernel/constants/poll.ts'
import { CC, TCFLOW, TCFLUSH, TERMIOS } from '../../kernel/constants/termios.ts'
import { pause } from '../../kernel/pause.ts'
import { must } from '../../kernel/sys.ts'
import { type Content, isCanonical, LINE_END } from './content.ts'
import { type Ends, takeStatus } from './drain.ts'
import {
  LINE_DISCIPLINE_ROOM,
  type Modes,
  pollNow,
  setModes,
  until,
  waiting,
  writeAll,
  writeBehind,
} from './ends.ts'
import { FLOW } from './own-fields.ts'

/**
 * Gives an empty pseudoterminal its modes and content: for the dump that has just taken it out, and for
 * a restore. What its slave's line discipline had seen comes in quoted, so that nothing is interpreted
 * a second time; what waited before it follows under the true modes.
 */
export function fill(ends: Ends, modes: Modes, content: Content): void {
  const { master, slave } = ends
  const quoting = quotingModes(ends, modes, content)
  setModes(slave, quoting)
  const early = ends.packet ? announceEarly(slave, quoting, content) : 0
  const hasAll = (end: number) => (length: number) =>
    until('pass on its bytes', () => waiting(end) === length)
  writeAll(slave, content.output, hasAll(master))
  const isStopped = (content.flow & FLOW.TYPED) !== 0
  if (isStopped) typeStop(ends, quoting)
  const text = quoted(content, quoting)
  const canonical = isCanonical(modes)
  writeAll(master, text, canonical ? undefined : hasAll(slave))
  if (canonical && text.length > 0) sync(ends, quoting, content)
  setModes(slave, modes)
  writeBehind(master, content.input.subarray(content.processed))
  if (content.flow & FLOW.CALLED) must('ioctl', slave, TC.XONC, TCFLOW.TCOOFF)
  if (content.flow & FLOW.MASTER) must('ioctl', master, TC.XONC, TCFLOW.TCOOFF)
  if (ends.packet && early === 0) announce(ends, modes, content)
}

/** Characters that mean themselves wherever they stand in text, chosen among those that rarely do. */
const END_OF_FILE = 0x04
const QUOTE = 0x16
/** The usual ones to start and stop output: ^Q, ^S. */
const START = 0x11
const STOP = 0x13

/**
 * Modes in which a quoted character enters the buffer as it is. Whoever is in packet mode is told when
 * ^S and ^Q get or lose their meaning, or EXTPROC changes: these stay as they are.
 */
function quotingModes({ packet }: Ends, modes: Modes, { flow, input }: Content): Modes {
  const cc = new Uint8Array(modes.cc.length)
  const isKept = packet && hasUsualFlow(modes)
  const [start, stop] = isKept ? [START, STOP] : unusedIn(input)
  cc[CC.VSTART] = start!
  cc[CC.VSTOP] = stop!
  const canonical = isCanonical(modes)
  if (canonical) {
    cc[CC.VLNEXT] = QUOTE
    cc[CC.VEOF] = END_OF_FILE
    cc[CC.VEOL] = modes.cc[CC.VEOL]!
    if (modes.lflag & TERMIOS.IEXTEN) cc[CC.VEOL2] = modes.cc[CC.VEOL2]!
  }
  const needsFlow = canonical || isKept || (flow & FLOW.TYPED) !== 0
  return {
    ...modes,
    iflag: needsFlow ? TERMIOS.IXON : 0,
    oflag: modes.oflag & ~TERMIOS.OPOST,
    lflag: canonical
      ? TERMIOS.ICANON | TERMIOS.IEXTEN
      : modes.lflag & (TERMIOS.ICANON | TERMIOS.EXTPROC),
    cc,
  }
}

/** As the kernel sees it when it tells a master in packet mode (drivers/tty/pty.c, pty_set_termios). */
const hasUsualFlow = ({ iflag, cc }: Modes): boolean =>
  (iflag & TERMIOS.IXON) !== 0 && cc[CC.VSTART] === START && cc[CC.VSTOP] === STOP

/** Two characters that the input does not have; in lines they can be quoted as well. */
function unusedIn(input: Uint8Array): number[] {
  const free = Array.from({ length: 255 }, (_, i) => i + 1).filter(
    (byte) => !input.includes(byte) && ![QUOTE, END_OF_FILE, 0x0a, START, STOP].includes(byte),
  )
  return free.length >= 2 ? free : [0x1c, 0x1d]
}

/** Stops output as ^S does: TCOON does not start it again. */
function typeStop({ master, slave }: Ends, { cc }: Modes): void {
  writeAll(master, Uint8Array.of(cc[CC.VSTOP]!))
  until('stop its output', () => (pollNow(slave) & POLL.OUT) === 0)
}

function typeStart({ master, slave }: Ends, { cc }: Modes): void {
  writeAll(master, Uint8Array.of(cc[CC.VSTART]!))
  until('start its output', () => (pollNow(slave) & POLL.OUT) !== 0)
}

/**
 * Waits until the line discipline has processed what was written. Of a line without an end the kernel
 * tells nothing, so a stop and a start are written behind it: they are seen by poll, and leave no trace.
 */
function sync(ends: Ends, quoting: Modes, { lines, flow, processed }: Content): void {
  const open = lines.reduce((sum, { length, end }) => sum + (end === LINE_END.OPEN ? length : 0), 0)
  until('take its lines', () => waiting(ends.slave) === processed - open)
  if (open === 0) return
  const ended = lines.filter(({ end }) => end === LINE_END.EOF).length
  // Into a full one nothing comes any more, not even these; the rest of its last piece is on the way.
  if (processed + ended >= LINE_DISCIPLINE_ROOM) {
    pause(WHOLE_MICROS)
    return
  }
  const isStopped = (flow & FLOW.TYPED) !== 0
  for (const type of isStopped ? [typeStart, typeStop] : [typeStop, typeStart]) type(ends, quoting)
}

/** Far more than the kernel's worker takes. */
const WHOLE_MICROS = 20_000

/** What to write for the slave's line discipline to hold the processed part of the input. */
export function quoted({ input, processed, lines }: Content, quoting: Modes): Uint8Array {
  if (!isCanonical(quoting)) return input.subarray(0, processed)
  const special = new Set([...quoting.cc.filter((character) => character !== 0), 0x0a])
  const bytes: number[] = []
  let at = 0
  for (const { length, end } of lines) {
    const text = length - (end === LINE_END.DELIMITER ? 1 : 0)
    for (const byte of input.subarray(at, at + text)) {
      if (special.has(byte)) bytes.push(QUOTE)
      bytes.push(byte)
    }
    if (end === LINE_END.DELIMITER) bytes.push(input[at + text]!)
    if (end === LINE_END.EOF) bytes.push(END_OF_FILE)
    at += length
  }
  return Uint8Array.from(bytes)
}

/** Bits that can only be set while the buffers are empty: they would take the content with them. */
function announceEarly(slave: number, quoting: Modes, { packetStatus, flow }: Content): number {
  const { FLUSHREAD, FLUSHWRITE } = TIOCPKT
  if (packetStatus & FLUSHREAD) must('ioctl', slave, TC.FLSH, TCFLUSH.TCIFLUSH)
  if (packetStatus & FLUSHWRITE) must('ioctl', slave, TC.FLSH, TCFLUSH.TCOFLUSH)
  let early = packetStatus & (FLUSHREAD | FLUSHWRITE)
  if (packetStatus & TIOCPKT.IOCTL && !(quoting.lflag & TERMIOS.EXTPROC)) {
    setModes(slave, { ...quoting, lflag: quoting.lflag | TERMIOS.EXTPROC })
    setModes(slave, quoting)
    early |= TIOCPKT.IOCTL
  }
  // The stop by ^S, which comes later, sets this one by itself.
  if (flow & FLOW.TYPED) early |= packetStatus & TIOCPKT.STOP
  return early
}

/**
 * All other bits, once nothing changes any more. Where some had to be set before, bits that our own
 * changes have set stay too: they tell of the state as it is.
 */
function announce({ master, slave }: Ends, modes: Modes, { packetStatus, flow }: Content): void {
  takeStatus(master)
  const { NOSTOP, DOSTOP } = TIOCPKT
  const cc = Uint8Array.from(modes.cc)
  if (packetStatus & DOSTOP) cc[CC.VSTART] = 0
  if (packetStatus & NOSTOP) {
    cc[CC.VSTART] = START
    cc[CC.VSTOP] = STOP
  }
  const iflag = packetStatus & NOSTOP ? modes.iflag | TERMIOS.IXON : modes.iflag
  if (packetStatus & (NOSTOP | DOSTOP)) setModes(slave, { ...modes, iflag, cc })
  if (packetStatus & (NOSTOP | DOSTOP | TIOCPKT.IOCTL)) setModes(slave, modes)
  const { TCOON, TCOOFF } = TCFLOW
  const called = (flow & FLOW.CALLED) !== 0
  const steps = called ? [TCOON, TCOOFF] : [TCOOFF, TCOON]
  if (packetStatus & (called ? TIOCPKT.STOP : TIOCPKT.START))
    for (const step of steps) must('ioctl', slave, TC.XONC, step)
  pollNow(master)
}

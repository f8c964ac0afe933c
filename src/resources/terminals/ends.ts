import { fail } from '../../errors/error.ts'
import { F, O } from '../../kernel/constants/fcntl.ts'
import { FIO, TC, TIOC } from '../../kernel/constants/ioctl.ts'
import { POLL } from '../../kernel/constants/poll.ts'
import { Errno } from '../../kernel/errno.ts'
import { pollfd, termios2 } from '../../kernel/layout/files.ts'
import { scratch } from '../../kernel/memory.ts'
import { pause } from '../../kernel/pause.ts'
import { checked, must, sys } from '../../kernel/sys.ts'

/** struct termios2: everything that TCGETS2 tells. */
export type Modes = ReturnType<typeof termios2.zero>

/** Of a pseudoterminal both ends answer for the slave: a master has no modes of its own. */
export function modesOf(fd: number): Modes {
  using s = scratch()
  const memory = s.take(termios2.size)
  must('ioctl', fd, TC.GETS2, memory.address)
  return termios2.read(memory.view, 0)
}

/** At once: nothing is waited for, nothing thrown away. */
export function setModes(fd: number, modes: Modes): void {
  using s = scratch()
  must('ioctl', fd, TC.SETS2, s.put(termios2.encode(modes)).address)
}

/** A request that answers with a number. */
export function ask(fd: number, request: number): number {
  const answer = tryAsk(fd, request)
  return answer ?? checked(-Errno.ENOTTY, 'ioctl', { kind: 'terminal' })
}

/** As ask; undefined where the terminal has no such thing, or is hung up. */
export function tryAsk(fd: number, request: number): number | undefined {
  using s = scratch()
  const memory = s.take(4)
  const result = sys('ioctl', fd, request, memory.address)
  return result < 0 ? undefined : memory.view.getInt32(0, true)
}

/** A request that takes a number by its address. */
export function tell(fd: number, request: number, value: number): void {
  using s = scratch()
  const memory = s.take(4)
  memory.view.setInt32(0, value, true)
  must('ioctl', fd, request, memory.address)
}

/**
 * What poll says now. It has a side effect that is counted on: the kernel first moves on what lies
 * between the two ends (drivers/tty/n_tty.c, n_tty_poll), so that the answer is not too early.
 */
export function pollNow(fd: number): number {
  using s = scratch()
  const memory = s.put(pollfd.encode({ fd, events: POLL.IN | POLL.OUT | POLL.PRI }))
  must('poll', memory.address, 1, 0)
  return pollfd.read(memory.view, 0).revents
}

export const isReadable = (fd: number): boolean => (pollNow(fd) & POLL.IN) !== 0

/** Bytes that a read would give: in canonical mode those of whole lines. */
export const waiting = (fd: number): number => ask(fd, FIO.NREAD)

/** Some more than a line discipline holds. */
const CHUNK = 8192

/** One read of what is there. */
export function readOnce(fd: number, most = CHUNK): Uint8Array {
  using s = scratch()
  const memory = s.takeDirty(most)
  const length = must('read', fd, memory.address, most)
  return memory.bytes.slice(0, length)
}

/** What a line discipline holds (drivers/tty/n_tty.c, N_TTY_BUF_SIZE − 1), ends of file counted. */
export const LINE_DISCIPLINE_ROOM = 4095

/**
 * What is written lies in pieces of memory, of some 8 KiB in all (drivers/tty/tty_buffer.c), until the
 * line discipline takes it; the piece that comes last may exceed them. Written in small ones, and what
 * is beyond in a single one, as much goes in as ever can have come there.
 */
const PIECE = 256
const IN_PIECES = 15872

/**
 * Writes to one end; all of it was there before. `settle` waits until the other end's line discipline
 * has all that it can hold.
 */
export function writeAll(fd: number, bytes: Uint8Array, settle?: (length: number) => void): void {
  const held = bytes.subarray(0, LINE_DISCIPLINE_ROOM)
  writePieces(fd, held)
  if (held.length > 0) settle?.(held.length)
  writeBehind(fd, bytes.subarray(held.length))
}

/** What waits before a line discipline that holds all it can. */
export function writeBehind(fd: number, bytes: Uint8Array): void {
  // It must not wait for the reader, which is stopped.
  const flags = must('fcntl', fd, F.GETFL)
  const mayWait = bytes.length > SURE && (flags & O.NONBLOCK) === 0
  if (mayWait) must('fcntl', fd, F.SETFL, flags | O.NONBLOCK)
  try {
    writePieces(fd, bytes.subarray(0, IN_PIECES))
    if (bytes.length > IN_PIECES) writeOnce(fd, bytes.subarray(IN_PIECES))
  } finally {
    if (mayWait) must('fcntl', fd, F.SETFL, flags)
  }
}

/** Goes in without waiting. */
const SURE = 4096

function writePieces(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeOnce(fd, bytes.subarray(at, at + PIECE))
}

function writeOnce(fd: number, bytes: Uint8Array): number {
  using s = scratch()
  return must('write', fd, s.put(bytes).address, bytes.length)
}

/** The kernel moves bytes from one end to the other by a worker of its own: some microseconds. */
export function until(what: string, isSo: () => boolean): void {
  for (let tries = 0; tries < 20_000; tries++) {
    if (isSo()) return
    pause(TRY_MICROS)
  }
  fail({
    code: 'conflict',
    reason: `a pseudoterminal does not ${what}, as what was saved of it says`,
    remedy: 'make sure that the images are not damaged',
  })
}

const TRY_MICROS = 50

/** A terminal that was hung up answers EIO to everything (drivers/tty/tty_io.c, hung_up_tty_fops). */
export function isHungUp(fd: number): boolean {
  using s = scratch()
  return sys('ioctl', fd, TC.GETS2, s.take(termios2.size).address) === -Errno.EIO
}

/** The master's answer: is no slave open any more (one that never was does not count). */
export const isLeft = (master: number): boolean => (pollNow(master) & POLL.HUP) !== 0

/** Whether slaves cannot be opened yet (unlockpt). */
export const isLocked = (master: number): boolean => ask(master, TIOC.GPTLCK) !== 0

import { TERMIOS } from '../../kernel/constants/termios.ts'
import type { Modes } from './ends.ts'

/** How a line of pending input ends. */
export const LINE_END = {
  /** It does not yet: it can be edited, and nobody can read it. */
  OPEN: 0,
  /** By its last character: a newline, or one that VEOL names. */
  DELIMITER: 1,
  /** By the character of VEOF, which is in no buffer. */
  EOF: 2,
} as const

export interface Line {
  readonly length: number
  readonly end: number
}

/** What lies in a pseudoterminal, in both directions, and what its master has yet to be told. */
export interface Content {
  /** What the slave reads next. */
  readonly input: Uint8Array
  /** How many bytes of it the line discipline has taken; the others wait before it. */
  readonly processed: number
  /** In canonical mode: how the processed bytes are cut. */
  readonly lines: readonly Line[]
  /** What the master reads next. */
  readonly output: Uint8Array
  /** Bits of TIOCPKT, in packet mode. */
  readonly packetStatus: number
  /** Bits of FLOW. */
  readonly flow: number
}

export const nothing: Content = {
  input: new Uint8Array(),
  processed: 0,
  lines: [],
  output: new Uint8Array(),
  packetStatus: 0,
  flow: 0,
}

/** Line by line. With EXTPROC the kernel leaves lines alone, whatever ICANON says. */
export const isCanonical = ({ lflag }: Modes): boolean =>
  (lflag & (TERMIOS.ICANON | TERMIOS.EXTPROC)) === TERMIOS.ICANON

/** A line as one number of an image. */
export const encodeLine = ({ length, end }: Line): number => (length << 2) | end
export const decodeLine = (number: number): Line => ({ length: number >>> 2, end: number & 3 })

/**
 * Lines for input whose images tell none (upstream's do not): whole ones up to each newline, and a rest.
 */
export function guessLines(input: Uint8Array): Line[] {
  const lines: Line[] = []
  let start = 0
  for (let at = 0; at < input.length; at++)
    if (input[at] === 0x0a) {
      lines.push({ length: at + 1 - start, end: LINE_END.DELIMITER })
      start = at + 1
    }
  if (start < input.length) lines.push({ length: input.length - start, end: LINE_END.OPEN })
  return lines
}

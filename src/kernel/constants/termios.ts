/** asm-generic/termbits.h: bits of struct termios that decide how input and output are handled. */

/** Flags; each belongs to the field that its comment names. */
export const TERMIOS = {
  /** iflag: ^S and ^Q stop and start output. */
  IXON: 0x400,
  /** oflag: output is processed. */
  OPOST: 0x1,
  /** lflag: input is given line by line. */
  ICANON: 0x2,
  /** lflag: of the special characters LNEXT, EOL2 and others. */
  IEXTEN: 0x8000,
  /** lflag: lines are edited outside of the kernel. */
  EXTPROC: 0x10000,
} as const

/** Places of the special characters in `cc`. */
export const CC = {
  VEOF: 4,
  VTIME: 5,
  VMIN: 6,
  VSTART: 8,
  VSTOP: 9,
  VEOL: 11,
  VLNEXT: 15,
  VEOL2: 16,
} as const

/** Queues of TCFLSH. */
export const TCFLUSH = { TCIFLUSH: 0, TCOFLUSH: 1, TCIOFLUSH: 2 } as const

/** Actions of TCXONC. */
export const TCFLOW = { TCOOFF: 0, TCOON: 1 } as const

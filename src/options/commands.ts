import type { Command } from './row.ts'

/** A command: what help, man page, completion and the reading of its words know of it. */
export interface CommandRow {
  /** Completes «criu COMMAND: …». */
  readonly summary: string
  /** What follows the options, as a usage line has it; undefined: nothing. */
  readonly words: string | undefined
  /** How many words it takes behind its name, at least and at most. */
  readonly count: readonly [least: number, most: number]
  readonly supported: boolean
}

const none = [0, 0] as const

const command = (
  summary: string,
  words?: string,
  count: readonly [number, number] = none,
): CommandRow => ({ summary, words, count, supported: true })

/** A command that this program refuses so far. */
const later = (...row: Parameters<typeof command>): CommandRow => ({
  ...command(...row),
  supported: false,
})

/** Every command of criu 2.3 and 4.2, and ours, in the order of the help. */
export const commandTable: Readonly<Record<Command, CommandRow>> = {
  dump: command('save a process tree to images'),
  restore: command('make a process tree from images', '[-- PROGRAM [ARGUMENT...]]'),
  exec: command('run a system call in another process', 'SYSCALL [ARGUMENT...]', [1, 7]),
  check: command('tell whether the kernel has what is needed'),
  cpuinfo: command('save or check the features of the CPU', 'dump|check', [1, 1]),
  service: command('serve RPC on a socket'),
  swrk: command('serve RPC on an inherited descriptor', 'FD', [1, 1]),
  explain: command('tell whether a dump would work, and what it would cost'),
  show: command('show what images hold', '[DIR] [VIEW] | decode FILE | encode FILE', [0, 2]),
  diff: command('compare two image directories', 'DIR DIR', [2, 2]),
  completion: command('print the completion script of a shell', 'bash|zsh|fish', [1, 1]),
  'pre-dump': later('save memory while the tree runs'),
  'page-server': later('receive pages of another machine'),
  'lazy-pages': later('serve memory to a restored tree on demand'),
  dedup: later('remove pages that a later image holds too'),
}

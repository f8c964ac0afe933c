import { fail } from '../../errors/error.ts'
import { type TraceeAddr, traceeAddr } from '../types.ts'
import { makeDev } from './device.ts'
import { readProcFile, tryReadProcFile } from './read.ts'

/** One line of /proc/PID/maps (man 5 proc_pid_maps). */
export interface Mapping {
  readonly start: TraceeAddr
  /** First address behind it. */
  readonly end: TraceeAddr
  readonly read: boolean
  readonly write: boolean
  readonly exec: boolean
  readonly shared: boolean
  /** Offset in the file, bytes. */
  readonly offset: bigint
  readonly major: number
  readonly minor: number
  /** The two as st_dev has them; 0 for no file. */
  readonly dev: number
  readonly inode: bigint
  /**
   * Byte string as the kernel prints it, `\012` turned into a newline: a path (perhaps with
   * ` (deleted)` behind it), `[heap]`, `[vdso]`, `[anon:name]`, `/dev/zero (deleted)`, … or empty.
   * The kernel escapes nothing but the newline, so a file whose name really holds `\012` reads the
   * same; /proc/PID/map_files has the true name.
   */
  readonly path: string
}

/** One mapping of /proc/PID/smaps: what a dump looks at. */
export interface SmapsMapping extends Mapping {
  readonly protectionKey: number
  /** Two-letter names of VmFlags; see {@link VmFlag}. Shared between mappings: never change it. */
  readonly vmFlags: ReadonlySet<string>
}

/** VmFlags that a dump looks at (fs/proc/task_mmu.c, Documentation/filesystems/proc.rst). */
export const VmFlag = {
  growsDown: 'gd',
  locked: 'lo',
  lockedOnFault: 'lf',
  sequential: 'sr',
  random: 'rr',
  dontFork: 'dc',
  dontExpand: 'de',
  accountable: 'ac',
  noReserve: 'nr',
  hugetlb: 'ht',
  synchronousFault: 'sf',
  wipeOnFork: 'wf',
  dontDump: 'dd',
  softDirty: 'sd',
  mixedMap: 'mm',
  hugePage: 'hg',
  noHugePage: 'nh',
  mergeable: 'mg',
  userfaultMissing: 'um',
  userfaultWriteProtect: 'uw',
  userfaultMinor: 'ui',
  io: 'io',
  pfnMap: 'pf',
  shadowStack: 'ss',
  sealed: 'sl',
  maybeGuard: 'gu',
  droppable: 'dp',
} as const

/** Parses a maps file. 20,000 lines take some 10 ms. */
export function parseMaps(text: string): Mapping[] {
  const mappings: Mapping[] = []
  for (let at = 0; at < text.length; ) {
    const end = lineEnd(text, at)
    mappings.push(parseMapping(text, at, end))
    at = end + 1
  }
  return mappings
}

/** Parses a smaps file. Of the twenty-odd lines of a mapping only the last two matter. */
export function parseSmaps(text: string): SmapsMapping[] {
  const mappings: SmapsMapping[] = []
  for (let at = 0; at < text.length; ) {
    const headEnd = lineEnd(text, at)
    const flags = text.indexOf(FLAGS, headEnd)
    if (flags < 0) fail({ code: 'internal', reason: 'a mapping without VmFlags in smaps' })
    const end = lineEnd(text, flags + 1)
    mappings.push({
      ...parseMapping(text, at, headEnd),
      protectionKey: keyBefore(text, flags),
      vmFlags: flagSet(text.slice(flags + FLAGS.length, end)),
    })
    at = end + 1
  }
  return mappings
}

/** The last line of each mapping (fs/proc/task_mmu.c, show_smap). */
const FLAGS = '\nVmFlags:'
const KEY = 'ProtectionKey:'

/** The line before the flags; CPUs without protection keys have none. */
function keyBefore(text: string, flags: number): number {
  const start = text.lastIndexOf('\n', flags - 1) + 1
  return text.startsWith(KEY, start) ? Number(text.slice(start + KEY.length, flags)) : 0
}

/** Reads `maps` under `/proc/PID`. Empty for a zombie and a kernel thread. */
export const readMaps = (path: string): Mapping[] => parseMaps(readProcFile(`${path}/maps`))

/** Like {@link readMaps}; undefined when the process is gone. */
export function tryReadMaps(path: string): Mapping[] | undefined {
  const text = tryReadProcFile(`${path}/maps`)
  return text === undefined ? undefined : parseMaps(text)
}

/** Reads `smaps` under `/proc/PID`. The kernel walks all page tables for it: slower than maps. */
export const readSmaps = (path: string): SmapsMapping[] => parseSmaps(readProcFile(`${path}/smaps`))

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end
}

/** `start-end perms offset major:minor inode      path`, between two offsets of the text. */
function parseMapping(text: string, at: number, end: number): Mapping {
  const dash = text.indexOf('-', at)
  const space = text.indexOf(' ', dash)
  const perms = space + 1
  const offset = perms + 5
  const device = text.indexOf(' ', offset) + 1
  const colon = text.indexOf(':', device)
  const inode = text.indexOf(' ', colon) + 1
  if (dash < 0 || space < 0 || device <= offset || colon < 0 || inode <= colon || inode > end) {
    fail({ code: 'internal', reason: `unexpected form of a mapping: ${text.slice(at, end)}` })
  }
  let inodeEnd = text.indexOf(' ', inode)
  if (inodeEnd < 0 || inodeEnd > end) inodeEnd = end
  const major = Number.parseInt(text.slice(device, colon), 16)
  const minor = Number.parseInt(text.slice(colon + 1, inode - 1), 16)
  return {
    start: traceeAddr(BigInt(`0x${text.slice(at, dash)}`)),
    end: traceeAddr(BigInt(`0x${text.slice(dash + 1, space)}`)),
    read: text[perms] === 'r',
    write: text[perms + 1] === 'w',
    exec: text[perms + 2] === 'x',
    shared: text[perms + 3] === 's',
    offset: BigInt(`0x${text.slice(offset, device - 1)}`),
    major,
    minor,
    dev: makeDev(major, minor),
    inode: BigInt(text.slice(inode, inodeEnd)),
    path: parsePath(text, inodeEnd, end),
  }
}

/** The path stands behind padding of spaces up to a column, and one space at least. */
function parsePath(text: string, from: number, end: number): string {
  let at = from
  while (at < end && text.charCodeAt(at) === 32) at++
  const path = text.slice(at, end)
  return path.includes('\\012') ? path.replaceAll('\\012', '\n') : path
}

/** A process has few distinct sets of flags: each is built once. */
const flagSets = new Map<string, ReadonlySet<string>>()

function flagSet(text: string): ReadonlySet<string> {
  const known = flagSets.get(text)
  if (known) return known
  const made = new Set(text.split(' ').filter((flag) => flag !== ''))
  flagSets.set(text, made)
  return made
}

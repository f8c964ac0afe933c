import { type LockLine, parseLockLine } from './locks.ts'
import { readProcFile, tryReadProcFile } from './read.ts'

/** /proc/PID/fdinfo/N (man 5 proc_pid_fdinfo). */
export interface FdInfo {
  readonly pos: bigint
  /** O_… flags of the open file, with O_CLOEXEC (02000000) of the descriptor. */
  readonly flags: number
  readonly mntId: number
  /** Inode number (since Linux 5.14), 0 where the kernel does not say. */
  readonly ino: bigint
  /** Locks held through this open file (flock, OFD, leases) or by the process (POSIX). */
  readonly locks: readonly LockLine[]
  /**
   * What the kind of object adds: key before the first colon, value behind it without the space at
   * both ends, in the order of the file; keys may repeat (`tfd`, `inotify wd`). A line without a
   * colon is a key with an empty value.
   */
  readonly rest: readonly (readonly [key: string, value: string])[]
}

/** Parses an fdinfo file. */
export function parseFdInfo(text: string): FdInfo {
  const head = new Map<string, string>()
  const rest: [string, string][] = []
  const locks: LockLine[] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    const colon = line.indexOf(':')
    const key = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).trim()
    if (key === 'lock') locks.push(parseLockLine(value))
    else if (isHead(key) && !head.has(key)) head.set(key, value)
    else rest.push([key.trim(), value])
  }
  return {
    pos: BigInt(head.get('pos') ?? 0),
    flags: Number.parseInt(head.get('flags') ?? '0', 8),
    mntId: Number(head.get('mnt_id') ?? 0),
    ino: BigInt(head.get('ino') ?? 0),
    locks,
    rest,
  }
}

/** First value of a key that the object's kind adds, such as `eventfd-count`. */
export const fdInfoValue = (info: FdInfo, key: string): string | undefined =>
  info.rest.find(([name]) => name === key)?.[1]

/** All values of a key, such as `tfd` of an epoll. */
export const fdInfoValues = (info: FdInfo, key: string): string[] =>
  info.rest.filter(([name]) => name === key).map(([, value]) => value)

/** Reads `fdinfo/FD` under `/proc/PID`. */
export const readFdInfo = (path: string, fd: number): FdInfo =>
  parseFdInfo(readProcFile(`${path}/fdinfo/${fd}`))

/** Like {@link readFdInfo}; undefined when process or descriptor is gone. */
export function tryReadFdInfo(path: string, fd: number): FdInfo | undefined {
  const text = tryReadProcFile(`${path}/fdinfo/${fd}`)
  return text === undefined ? undefined : parseFdInfo(text)
}

const isHead = (key: string): boolean =>
  key === 'pos' || key === 'flags' || key === 'mnt_id' || key === 'ino'

import { fail } from '../../errors/error.ts'
import { readProcFile } from './read.ts'

/** One lock as /proc/locks and the `lock:` lines of fdinfo print it (fs/locks.c). */
export interface LockLine {
  /** Number of the lock in the file; a blocked one has that of the lock it waits for. */
  readonly id: number
  /** Waits for the lock of the same id (`->`, /proc/locks only). */
  readonly blocked: boolean
  /** POSIX, OFDLCK, FLOCK, LEASE, DELEG or ACCESS. */
  readonly kind: string
  /** ADVISORY, or of a lease ACTIVE, BREAKING, BREAKER. */
  readonly mode: string
  /** READ, WRITE or UNLCK; of a lease being broken, what it turns into. */
  readonly type: string
  /** Owner as the procfs counts it; −1 for OFD locks, 0 for one outside of the namespace. */
  readonly pid: number
  readonly major: number
  readonly minor: number
  readonly inode: bigint
  readonly start: bigint
  /** Last byte; undefined: to the end of the file, however it grows. */
  readonly end: bigint | undefined
}

const form =
  /^(\d+): (-> )?(\S+) +(\S+) +(\S+) +(-?\d+) (?:([0-9a-f]+):([0-9a-f]+):(\d+)|<none>:0) (\d+) (\d+|EOF)/

/** Parses a line of /proc/locks, or an fdinfo line without its `lock:`. */
export function parseLockLine(line: string): LockLine {
  const match = form.exec(line.trim())
  if (!match) fail({ code: 'internal', reason: `unexpected form of a lock: ${line}` })
  const [, id, arrow, kind, mode, type, pid, major, minor, inode, start, end] = match
  return {
    id: Number(id),
    blocked: arrow !== undefined,
    kind: kind!,
    mode: mode!,
    type: type!,
    pid: Number(pid),
    major: Number.parseInt(major ?? '0', 16),
    minor: Number.parseInt(minor ?? '0', 16),
    inode: BigInt(inode ?? 0),
    start: BigInt(start!),
    end: end === 'EOF' ? undefined : BigInt(end!),
  }
}

/** Parses all of /proc/locks. */
export const parseLocks = (text: string): LockLine[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLockLine)

/** Reads `locks` of a procfs root: locks whose owner its pid namespace sees. */
export const readLocks = (root: string): LockLine[] => parseLocks(readProcFile(`${root}/locks`))

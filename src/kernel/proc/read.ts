import { fail } from '../../errors/error.ts'
import { Errno } from '../errno.ts'
import { closeSync, openSync, readdirSync, readlinkSync, readSync } from '../fs.ts'
import { pathBytes, pathFromBytes } from './bytes.ts'

/**
 * Reading of procfs in few syscalls: open, reads until the end, close. Text comes as byte strings
 * (see bytes.ts). The plain functions throw a CriuError, code `vanished` when the process is gone
 * (ENOENT, ESRCH) and `syscall` otherwise; the `try` variants give undefined when it is gone.
 */

/** Holds one read; procfs gives at most some pages at a time, so it is filled more than once. */
let scratch = Buffer.allocUnsafeSlow(64 * 1024)

/** `/proc/PID` under a procfs root such as `/proc` or `/proc/self/fd/9`. */
export const pidPath = (root: string, pid: number): string => `${root}/${pid}`

/** `/proc/PID/task/TID` under a procfs root. */
export const taskPath = (root: string, pid: number, tid: number): string =>
  `${root}/${pid}/task/${tid}`

/** A whole file of procfs as a byte string. */
export const readProcFile = (path: string): string =>
  guarded('read', path, () => readAll(path, (length) => scratch.toString('latin1', 0, length)))

/** Like {@link readProcFile}; undefined when the file or its process is not there. */
export const tryReadProcFile = (path: string): string | undefined =>
  orGone('read', path, () => readAll(path, (length) => scratch.toString('latin1', 0, length)))

/** A whole file of procfs as bytes of the caller's own. */
export const readProcBytes = (path: string): Uint8Array =>
  guarded('read', path, () => readAll(path, copyScratch))

/** Like {@link readProcBytes}; undefined when the file or its process is not there. */
export const tryReadProcBytes = (path: string): Uint8Array | undefined =>
  orGone('read', path, () => readAll(path, copyScratch))

/** Target of a symbolic link as a byte string. */
export const readProcLink = (path: string): string =>
  guarded('readlink', path, () => readLink(path))

/** Like {@link readProcLink}; undefined when the link or its process is not there. */
export const tryReadProcLink = (path: string): string | undefined =>
  orGone('readlink', path, () => readLink(path))

/** Names that are numbers (pids, tids, descriptors) in a directory of procfs, ascending. */
export const listNumbers = (path: string): number[] =>
  guarded('readdir', path, () => numericNames(path))

/** Like {@link listNumbers}; undefined when the directory or its process is not there. */
export const tryListNumbers = (path: string): number[] | undefined =>
  orGone('readdir', path, () => numericNames(path))

const copyScratch = (length: number): Uint8Array => new Uint8Array(scratch.subarray(0, length))

const readLink = (path: string): string =>
  pathFromBytes(readlinkSync(pathBytes(path), { encoding: 'buffer' }))

function numericNames(path: string): number[] {
  const numbers: number[] = []
  for (const name of readdirSync(pathBytes(path))) {
    const first = name.charCodeAt(0)
    if (first >= 48 && first <= 57) numbers.push(Number(name))
  }
  return numbers.sort((a, b) => a - b)
}

function readAll<T>(path: string, take: (length: number) => T): T {
  const fd = openSync(pathBytes(path), 'r')
  try {
    let length = 0
    for (;;) {
      if (length === scratch.length) grow()
      const got = readSync(fd, scratch, length, scratch.length - length, null)
      if (got === 0) return take(length)
      length += got
    }
  } finally {
    closeSync(fd)
  }
}

function grow(): void {
  const larger = Buffer.allocUnsafeSlow(scratch.length * 4)
  scratch.copy(larger)
  scratch = larger
}

function guarded<T>(operation: string, path: string, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    return failReading(operation, path, cause)
  }
}

function orGone<T>(operation: string, path: string, action: () => T): T | undefined {
  try {
    return action()
  } catch (cause) {
    return isGone(errnoOf(cause)) ? undefined : failReading(operation, path, cause)
  }
}

/** ENOENT: no such pid when opened; ESRCH: it went away between open and read. */
const isGone = (errno: number): boolean => errno === Errno.ENOENT || errno === Errno.ESRCH

function errnoOf(cause: unknown): number {
  if (!(cause instanceof Error)) return 0
  const { errno } = cause as NodeJS.ErrnoException
  return Math.abs(errno ?? 0)
}

function failReading(operation: string, path: string, cause: unknown): never {
  const errno = errnoOf(cause)
  if (errno === 0) throw cause
  const pid = pidOfPath(path)
  if (pid !== undefined && isGone(errno)) {
    fail({ code: 'vanished', pid, reason: `${path} is not there` }, cause)
  }
  fail({ code: 'syscall', operation, errno, path, ...(pid !== undefined && { pid }) }, cause)
}

/** The pid in `/proc/123/…`; the descriptor of a root like `/proc/self/fd/9` is none. */
function pidOfPath(path: string): number | undefined {
  const match = /(?<!\/fd)\/(\d+)(?=\/|$)/.exec(path)
  return match ? Number(match[1]) : undefined
}

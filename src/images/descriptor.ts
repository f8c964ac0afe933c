import { CriuError, fail } from '../errors/error.ts'
import { O } from '../kernel/constants/fcntl.ts'
import { closeSync, openSync, readSync, writeSync } from '../kernel/fs.ts'
import { type LocalFd, localFd } from '../kernel/types.ts'

/**
 * Files by descriptor, with failures as CriuError. There is no openat here: a name relative to an
 * open directory goes through /proc/self/fd, so a rename or a change of the working directory
 * between two calls leads nowhere else.
 */
export function openAt(directory: LocalFd, name: string, flags: number, shown: string): LocalFd {
  return opened(`/proc/self/fd/${directory}/${name}`, flags, shown)
}

export function openDirectory(path: string): LocalFd {
  return opened(path, O.RDONLY | O.DIRECTORY, path)
}

/** Opens a file as `shown` (the name for errors), close-on-exec, 0600 where it is created. */
function opened(path: string, flags: number, shown: string): LocalFd {
  return attempt('open', shown, () => localFd(openSync(path, flags, 0o600)))
}

/** Reads up to `target.length` bytes from `at`; returns how many, fewer only at the file's end. */
export function readAt(fd: LocalFd, target: Uint8Array, at: number, shown: string): number {
  let done = 0
  while (done < target.length) {
    const count = attempt('read', shown, () =>
      readSync(fd, target, done, target.length - done, at + done),
    )
    if (count === 0) break
    done += count
  }
  return done
}

/** Writes all of `bytes` behind what was written before. */
export function writeAll(fd: LocalFd, bytes: Uint8Array, shown: string): void {
  let done = 0
  while (done < bytes.length) {
    done += attempt('write', shown, () => writeSync(fd, bytes, done, bytes.length - done))
  }
}

export function closeFd(fd: LocalFd): void {
  closeSync(fd)
}

/** Does a call of node:fs; its exception becomes a CriuError `syscall`. */
export function attempt<T>(operation: string, path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === undefined) throw error
    const remedy = remedies[errno]
    return fail({ code: 'syscall', operation, errno, path, ...(remedy && { remedy }) }, error)
  }
}

const remedies: Readonly<Record<number, string>> = {
  20: 'name a directory',
  28: 'the disk is full: free some space there, or name another images directory',
  30: 'name an images directory that can be written to',
  40: 'remove the symbolic link: images are not written through one',
  122: 'the disk quota is used up: free some space, or name another images directory',
}

/** Positive errno of an exception of node:fs, or of a CriuError made from one. */
export function errnoOf(error: unknown): number | undefined {
  if (error instanceof CriuError) {
    return error.detail.code === 'syscall' ? error.detail.errno : undefined
  }
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined
  return typeof errno === 'number' ? Math.abs(errno) : undefined
}

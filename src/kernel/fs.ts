import { CriuError } from '../errors/error.ts'
import { O } from './constants/fcntl.ts'
import { fileType } from './constants/stat.ts'
import { Errno, errnoName } from './errno.ts'
import { type Memory, scratch } from './memory.ts'
import { decodeStat, type FileStat } from './stat.ts'
import { sys } from './sys.ts'

/**
 * The part of node:fs that this program uses, by system calls of our own: the same names, arguments
 * and exceptions. Loading node:fs takes 0.8 ms, a fortieth of a small dump, and each of its calls
 * three times as long (docs/performance.md).
 *
 * A path is text, which is encoded as UTF-8, or the bytes themselves.
 */
export type Path = string | Uint8Array

/** A failed call, with the fields of node's own; told as any other call that failed where it should not. */
export class SystemError extends CriuError {
  /** Negative, as node has it. */
  readonly errno: number
  readonly syscall: string
  readonly path: string | undefined

  constructor(errno: number, syscall: string, path?: Path) {
    const shown = path === undefined ? undefined : String(textOf(path))
    super({ code: 'syscall', operation: syscall, errno, ...(shown && { path: shown }) })
    this.message = `${errnoName(errno)}: ${syscall}${shown === undefined ? '' : ` '${shown}'`}`
    this.errno = -errno
    this.syscall = syscall
    this.path = shown
  }

  /** `ENOENT`. */
  get code(): string {
    return errnoName(-this.errno)
  }
}

const textOf = (path: Path): string =>
  typeof path === 'string' ? path : Buffer.from(path).toString('utf8')

/** So much is moved at once between the kernel and memory of the runtime's. */
const CHUNK = 256 * 1024
const AT_FDCWD = -100
const MODE = 0o666

function good(result: number, operation: string, path?: Path): number {
  if (result < 0) throw new SystemError(-result, operation, path)
  return result
}

/** A call whose first argument is a path. */
function onPath(name: 'readlink' | 'unlink' | 'rmdir' | 'mkdir' | 'access' | 'stat', path: Path) {
  return (...rest: (number | bigint)[]): number => {
    using s = scratch()
    return sys(name, s.path(path), ...rest)
  }
}

const FLAGS = { r: O.RDONLY, 'r+': O.RDWR, w: O.WRONLY | O.CREAT | O.TRUNC, a: O.APPEND } as const

/** Close-on-exec, always. */
export function openSync(path: Path, flags: number | 'r' | 'r+', mode = MODE): number {
  using s = scratch()
  const bits = (typeof flags === 'number' ? flags : FLAGS[flags]) | O.CLOEXEC
  return good(sys('openat', AT_FDCWD, s.path(path), bits, mode), 'open', path)
}

export function closeSync(fd: number): void {
  good(sys('close', fd), 'close')
}

/** As pread(2), or as read(2) without a position. Reads until `length`, the end, or what is there. */
export function readSync(
  fd: number,
  target: Uint8Array,
  offset: number,
  length: number,
  position: number | null,
): number {
  let done = 0
  while (done < length) {
    using s = scratch()
    const memory = s.takeDirty(Math.min(CHUNK, length - done))
    const got = move(fd, memory, position === null ? null : position + done, 'read')
    target.set(memory.bytes.subarray(0, got), offset + done)
    done += got
    if (got < memory.bytes.length) break
  }
  return done
}

/** As pwrite(2), or as write(2) without a position; all of it, unless the kernel takes less. */
export function writeSync(
  fd: number,
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
  position: number | null = null,
): number {
  let done = 0
  while (done < length) {
    using s = scratch()
    const memory = s.put(bytes.subarray(offset + done, offset + Math.min(length, done + CHUNK)))
    const put = move(fd, memory, position === null ? null : position + done, 'write')
    done += put
    if (put < memory.bytes.length) break
  }
  return done
}

function move(fd: number, { address, bytes }: Memory, at: number | null, what: 'read' | 'write') {
  const size = bytes.length
  const result =
    at === null
      ? sys(what, fd, address, size)
      : sys(what === 'read' ? 'pread64' : 'pwrite64', fd, address, size, at)
  return good(result, what)
}

export function readFileSync(path: Path): Buffer
export function readFileSync(path: Path, encoding: 'utf8' | 'latin1'): string
export function readFileSync(path: Path, encoding?: 'utf8' | 'latin1'): Buffer | string {
  const fd = openSync(path, 'r')
  try {
    let bytes = Buffer.allocUnsafe(4096)
    let length = 0
    for (;;) {
      if (length === bytes.length) bytes = Buffer.concat([bytes], length * 4)
      const got = readSync(fd, bytes, length, bytes.length - length, null)
      if (got === 0) break
      length += got
    }
    const found = bytes.subarray(0, length)
    return encoding === undefined ? found : found.toString(encoding)
  } finally {
    closeSync(fd)
  }
}

export interface WriteOptions {
  /** `wx`: it must not be there yet. */
  readonly flag?: 'w' | 'wx'
  readonly mode?: number
}

export function writeFileSync(
  path: Path,
  content: string | Uint8Array,
  { flag = 'w', mode = MODE }: WriteOptions = {},
): void {
  const fd = openSync(path, flag === 'wx' ? FLAGS.w | O.EXCL : FLAGS.w, mode)
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
  } catch (error) {
    throw error instanceof SystemError ? new SystemError(-error.errno, 'write', path) : error
  } finally {
    closeSync(fd)
  }
}

const PATH_MAX = 4096

export function readlinkSync(path: Path): string
export function readlinkSync(path: Path, options: { encoding: 'buffer' }): Buffer
export function readlinkSync(path: Path, options?: { encoding: 'buffer' }): string | Buffer {
  using s = scratch()
  const memory = s.takeDirty(PATH_MAX)
  const length = good(sys('readlink', s.path(path), memory.address, PATH_MAX), 'readlink', path)
  const target = Buffer.from(memory.bytes.subarray(0, length))
  return options === undefined ? target.toString('utf8') : target
}

/** Offsets in struct linux_dirent64 (getdents(2)). */
const DIRENT = { RECLEN: 16, NAME: 19 } as const
const DIRENTS = 32 * 1024

/** Names in a directory, but for `.` and `..`; in the kernel's order. */
export function readdirSync(
  path: Path,
  { encoding = 'utf8' }: { encoding?: 'utf8' | 'latin1' } = {},
) {
  const fd = openSync(path, O.RDONLY | O.DIRECTORY)
  const names: string[] = []
  try {
    for (;;) {
      using s = scratch()
      const memory = s.takeDirty(DIRENTS)
      const length = good(sys('getdents64', fd, memory.address, DIRENTS), 'readdir', path)
      if (length === 0) return names
      addNames(names, memory, length, encoding)
    }
  } finally {
    closeSync(fd)
  }
}

function addNames(
  names: string[],
  { bytes, view }: Memory,
  length: number,
  encoding: 'utf8' | 'latin1',
) {
  for (let at = 0; at < length; at += view.getUint16(at + DIRENT.RECLEN, true)) {
    const start = at + DIRENT.NAME
    const name = Buffer.from(bytes.subarray(start, bytes.indexOf(0, start))).toString(encoding)
    if (name !== '.' && name !== '..') names.push(name)
  }
}

const STAT_SIZE = 144

/** Undefined where there is nothing of that name; a link is followed. */
export function tryStatSync(path: Path): FileStat | undefined {
  using s = scratch()
  const memory = s.take(STAT_SIZE)
  const result = onPath('stat', path)(memory.address)
  if (result === -Errno.ENOENT || result === -Errno.ENOTDIR) return undefined
  good(result, 'stat', path)
  return decodeStat(memory.view)
}

export const existsSync = (path: Path): boolean => onPath('access', path)(0) === 0

export const isDirectory = (stat: FileStat): boolean => fileType(stat.mode) === 'directory'
export const isFile = (stat: FileStat): boolean => fileType(stat.mode) === 'regular'

/** May we execute it (access(2), X_OK). */
export const isExecutable = (path: Path): boolean => onPath('access', path)(1) === 0

export function mkdirSync(path: Path, { mode = 0o777 }: { mode?: number } = {}): void {
  good(onPath('mkdir', path)(mode), 'mkdir', path)
}

/** A directory with all that are above it; those that are there already stay as they are. */
export function makePathSync(path: Uint8Array): void {
  const result = onPath('mkdir', path)(0o777)
  if (result === 0 || result === -Errno.EEXIST) return
  const slash = path.lastIndexOf(0x2f)
  if (result !== -Errno.ENOENT || slash <= 0) throw new SystemError(-result, 'mkdir', path)
  makePathSync(path.subarray(0, slash))
  good(onPath('mkdir', path)(0o777), 'mkdir', path)
}

/** A new directory of ours alone, whose name begins with `prefix`. */
export function makeTemporarySync(prefix: string): string {
  for (let tries = 0; ; tries++) {
    const path = `${prefix}${process.pid}-${Math.floor(Math.random() * 2 ** 32).toString(36)}`
    const result = onPath('mkdir', path)(0o700)
    if (result === 0) return path
    if (result !== -Errno.EEXIST || tries > 100) throw new SystemError(-result, 'mkdir', path)
  }
}

export function symlinkSync(target: Path, path: Path): void {
  using s = scratch()
  good(sys('symlink', s.path(target), s.path(path)), 'symlink', path)
}

export function unlinkSync(path: Path): void {
  good(onPath('unlink', path)(), 'unlink', path)
}

/** Removes a file, or a directory with all that is in it; what is not there is no error. */
export function removeAllSync(path: string): void {
  const result = onPath('unlink', path)()
  if (result === 0 || result === -Errno.ENOENT) return
  if (result !== -Errno.EISDIR) throw new SystemError(-result, 'unlink', path)
  for (const name of readdirSync(path)) removeAllSync(`${path}/${name}`)
  good(onPath('rmdir', path)(), 'rmdir', path)
}

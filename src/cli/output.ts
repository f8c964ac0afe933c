import { fail } from '../errors/error.ts'
import { O } from '../kernel/constants/fcntl.ts'
import { Errno } from '../kernel/errno.ts'
import { closeSync, openSync, SystemError, writeSync } from '../kernel/fs.ts'

const STDOUT = 1
const CREATE = O.WRONLY | O.CREAT | O.TRUNC

/**
 * Writes what a view has to say, piece by piece, to a file or to standard output. Unlike a log it must
 * arrive: a full disk is an error. A reader that has seen enough (`| head`) is none.
 */
export function writeOut(pieces: Iterable<string | Uint8Array>, path: string | undefined): void {
  const fd = path === undefined ? STDOUT : attempt(path, () => openSync(path, CREATE, 0o600))
  try {
    for (const piece of pieces) {
      if (!writePiece(fd, piece, path ?? 'standard output')) return
    }
  } finally {
    if (path !== undefined) closeSync(fd)
  }
}

/** False: nobody reads it any more. */
function writePiece(fd: number, piece: string | Uint8Array, shown: string): boolean {
  const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
  for (let done = 0; done < bytes.length; ) {
    const count = attempt(shown, () => tryWrite(fd, bytes, done))
    if (count === undefined) return false
    done += count
  }
  return true
}

function tryWrite(fd: number, bytes: Uint8Array, done: number): number | undefined {
  try {
    return writeSync(fd, bytes, done)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    if (error.errno === -Errno.EPIPE) return undefined
    // A terminal or pipe that another program made non-blocking.
    if (error.errno !== -Errno.EAGAIN) throw error
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    return 0
  }
}

function attempt<T>(path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    return fail({ code: 'syscall', operation: error.syscall, errno: -error.errno, path }, error)
  }
}

import { O } from '../kernel/constants/fcntl.ts'
import { closeSync, openSync, writeSync } from '../kernel/fs.ts'

/** Where the lines of a log go. */
export interface Sink {
  write(line: string): void
  flush(): void
  close(): void
  /** Called each time before something goes out. */
  before: (() => void) | undefined
}

const STDOUT = 1
const STDERR = 2

/** Bytes (about) kept back at most: what a SIGKILL may lose of levels 3 and 4. */
const HELD = 16 * 1024

/** Opens a sink: a path, `-` for standard output, undefined for standard error. */
export function openSink(path: string | undefined): Sink {
  if (path === undefined) return new BufferedSink(STDERR, false)
  if (path === '-') return new BufferedSink(STDOUT, false)
  return new BufferedSink(openLogFile(path), true)
}

/**
 * An existing file is emptied and kept, not replaced: container runtimes make it beforehand with
 * their own label and owner.
 */
function openLogFile(path: string): number {
  return openSync(path, O.WRONLY | O.CREAT | O.TRUNC | O.APPEND | O.NOCTTY, 0o600)
}

/** Only synchronous writes: lines are logged while tasks are stopped, where nothing may wait. */
class BufferedSink implements Sink {
  #held: string[] = []
  #length = 0
  #fd: number | undefined
  readonly #owned: boolean

  before: (() => void) | undefined

  constructor(fd: number, owned: boolean) {
    this.#fd = fd
    this.#owned = owned
  }

  write(line: string): void {
    this.#held.push(line)
    this.#length += line.length
    if (this.#length >= HELD) this.flush()
  }

  flush(): void {
    if (this.#held.length === 0 || this.#fd === undefined) return
    const bytes = Buffer.from(this.#held.join(''))
    this.#held = []
    this.#length = 0
    this.before?.()
    writeAll(this.#fd, bytes)
  }

  close(): void {
    this.flush()
    if (this.#owned && this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}

/** How often a full non-blocking pipe is tried again, a millisecond apart. */
const TRIES = 200

/**
 * Writes all of it, and tells nobody if that fails: a full disk or a closed pipe under the log must
 * not end a job that has tasks stopped.
 */
export function writeAll(fd: number, bytes: Uint8Array): void {
  let done = 0
  for (let tries = 0; done < bytes.length && tries < TRIES; ) {
    try {
      done += writeSync(fd, bytes, done)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
      tries++
      pause(1)
    }
  }
}

/** Sleeps without letting anything else of ours run. */
const pause = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

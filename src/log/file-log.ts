import { fail } from '../errors/error.ts'
import { sentence } from '../errors/sentence.ts'
import { errnoText } from '../kernel/errno.ts'
import { callerLocation, thrownLocation } from './location.ts'
import type { Log } from './log.ts'
import { openSink, type Sink } from './sink.ts'

/** The log of a job: what {@link Log} has, and what only a job's owner needs. */
export interface JobLog extends Log {
  /** Where it goes, for messages to a person; undefined: standard error. */
  readonly path: string | undefined
  /**
   * Log of one restored task. With `--log-pid` a file of its own, `<log>.<pid>`; without, the same
   * file with the pid before each line. `pid` as the task's own namespace counts it.
   */
  forTask(pid: number): JobLog
  /** Writes the sentence of an error, located where it was thrown; causes at level 4. */
  failure(error: unknown): void
  /** Hands all lines to the kernel. */
  flush(): void
  /** Has this called before lines appear where a person may look: to take away what stands there. */
  beforeLines(action: () => void): void
}

export interface LogSettings {
  readonly verbosity: number
  /** Absolute path, `-` for standard output, undefined for standard error. */
  readonly path: string | undefined
  /** One file for each restored task. */
  readonly perTask?: boolean
  /** Milliseconds, monotonic; for tests. */
  readonly now?: () => number
}

/** Opens the log of a job; the clock of its lines starts here. Throws `option` if it cannot. */
export function openLog(settings: LogSettings): JobLog {
  const now = settings.now ?? (() => performance.now())
  const clock = { now, begun: now() }
  return new FileLog(settings, clock, sinkFor(settings.path), '')
}

function sinkFor(path: string | undefined): Sink {
  try {
    return openSink(path)
  } catch (error) {
    const cause = errnoText(Math.abs((error as NodeJS.ErrnoException).errno ?? 0))
    const reason = `names ${path}, which cannot be opened: ${cause}`
    return fail({ code: 'option', option: '--log-file', reason }, error)
  }
}

interface Clock {
  readonly now: () => number
  readonly begun: number
}

/** From this level on lines begin with the time (criu(8), `-v3`). */
const TIMESTAMP_LEVEL = 3

class FileLog implements JobLog {
  readonly verbosity: number
  readonly path: string | undefined
  readonly #settings: LogSettings
  readonly #clock: Clock
  readonly #sink: Sink
  readonly #prefix: string
  readonly #tasks = new Map<number, JobLog>()

  constructor(settings: LogSettings, clock: Clock, sink: Sink, prefix: string) {
    this.verbosity = settings.verbosity
    this.path = settings.path
    this.#settings = settings
    this.#clock = clock
    this.#sink = sink
    this.#prefix = prefix
  }

  error(text: string): void {
    if (this.verbosity < 1) return
    this.#write(`Error (${callerLocation(this.error)}): `, text)
    this.#sink.flush()
  }

  warn(text: string): void {
    if (this.verbosity < 2) return
    this.#write(`Warn  (${callerLocation(this.warn)}): `, text)
    this.#sink.flush()
  }

  info(text: string): void {
    if (this.verbosity >= 3) this.#write('', text)
  }

  debug(text: () => string): void {
    if (this.verbosity >= 4) this.#write('', text())
  }

  failure(error: unknown): void {
    if (this.verbosity >= 1) this.#write(`Error (${thrownLocation(error)}): `, sentence(error))
    if (this.verbosity >= 4) this.#write('', traces(error))
    this.#sink.flush()
  }

  forTask(pid: number): JobLog {
    const known = this.#tasks.get(pid)
    if (known !== undefined) return known
    const made = this.#makeTaskLog(pid)
    this.#tasks.set(pid, made)
    return made
  }

  #makeTaskLog(pid: number): JobLog {
    const { path, perTask } = this.#settings
    if (perTask !== true || path === undefined || path === '-') {
      return new FileLog(this.#settings, this.#clock, this.#sink, `${String(pid).padStart(6)}: `)
    }
    const own = { ...this.#settings, path: `${path}.${pid}`, perTask: false }
    return new FileLog(own, this.#clock, sinkFor(own.path), '')
  }

  flush(): void {
    this.#sink.flush()
    for (const task of this.#tasks.values()) task.flush()
  }

  beforeLines(action: () => void): void {
    if (this.path === undefined || this.path === '-') this.#sink.before = action
  }

  close(): void {
    for (const task of this.#tasks.values()) task.close()
    this.#sink.close()
  }

  /** Each line of a text of several carries the same head, so that a search finds all of it. */
  #write(head: string, text: string): void {
    const stamp = this.verbosity >= TIMESTAMP_LEVEL ? this.#stamp() : ''
    const begin = `${stamp}${this.#prefix}${head}`
    for (const line of text.trimEnd().split('\n')) this.#sink.write(`${begin}${line}\n`)
  }

  #stamp(): string {
    const micros = Math.round((this.#clock.now() - this.#clock.begun) * 1000)
    const seconds = String(Math.floor(micros / 1e6)).padStart(2, '0')
    return `(${seconds}.${String(micros % 1e6).padStart(6, '0')}) `
  }
}

function traces(error: unknown): string {
  const lines: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    lines.push(cause.stack ?? cause.message)
  }
  return lines.join('\ncaused by: ')
}

/** Where a job is: what its stages, and the loops that move bytes, tell. */
export interface Progress {
  /** After about so many bytes it wants to be told; Infinity: nobody listens. */
  readonly grain: number
  /** A stage begins. */
  stage(name: string): void
  /** So many more bytes are to be moved. */
  expect(bytes: number): void
  /** So many were. Without any, that the stage goes on. */
  advance(bytes?: number): void
  /** The job is over. */
  end(): void
}

/** Nobody listens. */
export const noProgress: Progress = {
  grain: Number.POSITIVE_INFINITY,
  stage() {},
  expect() {},
  advance() {},
  end() {},
}

/** How far a job is, for a person. */
export interface ProgressState {
  readonly stage: string
  readonly bytes: number
  /** What is known of it so far; never less than `bytes`. */
  readonly total: number
  /** Bytes a second of late; 0 while that is not known. */
  readonly rate: number
  /** Seconds until all bytes are moved; undefined while that is not known. */
  readonly left: number | undefined
}

/** A disk that writes 50 MB a second takes half a second for this; what is lost by it is nothing. */
const GRAIN = 32 << 20
/** The rate is that of the last seconds. */
const RATE_MILLISECONDS = 3000

/** Who listens, and how often. */
export interface Listening {
  /** Milliseconds before the first report. */
  readonly delay: number
  /** Milliseconds between two. */
  readonly interval: number
  /** Milliseconds, monotonic; for tests. */
  readonly now?: () => number
}

/** Adds up what it is told, and reports now and then. */
export class Meter implements Progress {
  readonly grain = GRAIN
  readonly #report: (state: ProgressState) => void
  readonly #interval: number
  readonly #now: () => number
  #next: number
  #stage = ''
  #bytes = 0
  #total = 0
  /** How many bytes there were at some moments of late. */
  #marks: { readonly at: number; readonly bytes: number }[] = []

  constructor(report: (state: ProgressState) => void, listening: Listening) {
    this.#report = report
    this.#interval = listening.interval
    this.#now = listening.now ?? (() => performance.now())
    this.#next = this.#now() + listening.delay
  }

  stage(name: string): void {
    this.#stage = name
    this.advance()
  }

  expect(bytes: number): void {
    this.#total += bytes
  }

  advance(bytes = 0): void {
    const now = this.#now()
    if (bytes > 0 && this.#marks.length === 0) this.#marks.push({ at: now, bytes: 0 })
    this.#bytes += bytes
    if (now < this.#next) return
    this.#next = now + this.#interval
    this.#report(this.#state(now))
  }

  end(): void {
    this.#next = Number.POSITIVE_INFINITY
  }

  #state(now: number): ProgressState {
    const bytes = this.#bytes
    const total = Math.max(this.#total, bytes)
    const rate = this.#rate(now)
    const left = rate > 0 && bytes < total ? (total - bytes) / rate : undefined
    return { stage: this.#stage, bytes, total, rate, left }
  }

  #rate(now: number): number {
    const marks = this.#marks
    if (marks.length === 0) return 0
    if (now > marks.at(-1)!.at) marks.push({ at: now, bytes: this.#bytes })
    while (marks.length > 2 && marks[1]!.at < now - RATE_MILLISECONDS) marks.shift()
    const [first] = marks
    return now > first!.at ? ((this.#bytes - first!.bytes) * 1000) / (now - first!.at) : 0
  }
}

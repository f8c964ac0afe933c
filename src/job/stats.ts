/**
 * The numbers of `stats-dump` and `stats-restore` (stats.proto: dump_stats_entry,
 * restore_stats_entry). Times are microseconds; counters are pages unless said.
 */
const dumpTimers = ['freezingTime', 'frozenTime', 'memdumpTime', 'memwriteTime'] as const
const dumpCounters = [
  'pagesScanned',
  'pagesSkippedParent',
  'pagesWritten',
  'pagesLazy',
  'pagePipes',
  'pagePipeBufs',
  'shpagesScanned',
  'shpagesSkippedParent',
  'shpagesWritten',
] as const
const restoreTimers = ['forkingTime', 'restoreTime'] as const
const restoreCounters = ['pagesCompared', 'pagesSkippedCow', 'pagesRestored'] as const

type DumpTimer = (typeof dumpTimers)[number] | 'irmapResolve'
type RestoreTimer = (typeof restoreTimers)[number]
export type TimerName = DumpTimer | RestoreTimer
export type CounterName = (typeof dumpCounters)[number] | (typeof restoreCounters)[number]

/** Fields of dump_stats_entry as the generated message names them. */
export type DumpStatsEntry = Record<DumpTimer, number> &
  Record<(typeof dumpCounters)[number], bigint>
/** Fields of restore_stats_entry as the generated message names them. */
export type RestoreStatsEntry = Record<RestoreTimer, number> &
  Record<(typeof restoreCounters)[number], bigint>

/** Counts and times of one job. Timers may run several times: they add up. */
export class Stats {
  readonly #micros = new Map<TimerName, number>()
  readonly #running = new Map<TimerName, number>()
  readonly #counts = new Map<CounterName, bigint>()
  readonly #now: () => number

  /** `now` in milliseconds, monotonic. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  start(timer: TimerName): void {
    this.#running.set(timer, this.#now())
  }

  /** Adds what passed since `start`; without one, nothing. */
  stop(timer: TimerName): void {
    const begun = this.#running.get(timer)
    if (begun === undefined) return
    this.#running.delete(timer)
    this.addMicros(timer, (this.#now() - begun) * 1000)
  }

  /** Runs `fn` with the timer on; synchronous, as everything is while tasks are stopped. */
  measure<T>(timer: TimerName, fn: () => T): T {
    this.start(timer)
    try {
      return fn()
    } finally {
      this.stop(timer)
    }
  }

  addMicros(timer: TimerName, micros: number): void {
    this.#micros.set(timer, this.micros(timer) + micros)
  }

  count(counter: CounterName, by: number | bigint = 1): void {
    this.#counts.set(counter, this.counted(counter) + BigInt(by))
  }

  micros(timer: TimerName): number {
    return this.#micros.get(timer) ?? 0
  }

  /** As {@link micros}, with what has passed since a `start` without a `stop`. */
  elapsedMicros(timer: TimerName): number {
    const begun = this.#running.get(timer)
    return this.micros(timer) + (begun === undefined ? 0 : (this.#now() - begun) * 1000)
  }

  counted(counter: CounterName): bigint {
    return this.#counts.get(counter) ?? 0n
  }

  /** The entry of `stats-dump`. */
  dumpEntry(): { dump: DumpStatsEntry } {
    return {
      dump: { ...this.#times([...dumpTimers, 'irmapResolve']), ...this.#totals(dumpCounters) },
    }
  }

  /** The entry of `stats-restore`. */
  restoreEntry(): { restore: RestoreStatsEntry } {
    return { restore: { ...this.#times(restoreTimers), ...this.#totals(restoreCounters) } }
  }

  #times<N extends TimerName>(names: readonly N[]): Record<N, number> {
    const entries = names.map((name) => [name, uint32(this.micros(name))])
    return Object.fromEntries(entries) as Record<N, number>
  }

  #totals<N extends CounterName>(names: readonly N[]): Record<N, bigint> {
    return Object.fromEntries(names.map((name) => [name, this.counted(name)])) as Record<N, bigint>
  }
}

/** The image has 32 bits for a time: 71 minutes; longer ones stay at the largest value. */
const uint32 = (micros: number): number => Math.min(Math.round(micros), 0xffff_ffff)

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Figure } from './figures.ts'
import {
  copy,
  dump,
  killSubject,
  type Place,
  restore,
  run,
  settle,
  startSubject,
  type Timing,
  waitGone,
} from './job.ts'

/** Medians of one figure at one amount, in ms. */
export interface Measured {
  readonly dump: Timing
  readonly restore: Timing
  /** The plain copy of the same memory, in the same rounds. */
  readonly write?: number
  readonly read?: number
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** What the rounds of one amount have given so far. */
class Series {
  readonly #dumps: Timing[] = []
  readonly #restores: Timing[] = []
  readonly #writes: number[] = []
  readonly #reads: number[] = []
  readonly #place: Place
  readonly #figure: Figure
  readonly #amount: number

  constructor(place: Place, figure: Figure, amount: number) {
    this.#place = place
    this.#figure = figure
    this.#amount = amount
  }

  /** Dumps and restores a fresh subject; plain copies take turns with it. */
  round(): void {
    const [place, amount] = [this.#place, this.#amount]
    const pid = startSubject(place, this.#figure.mode, amount)
    settle(place)
    if (this.#figure.goalRatio) this.#writes.push(copy(place, 'out', amount))
    settle(place)
    const options = this.#figure.options ?? []
    this.#dumps.push(dump(place, pid, ...options))
    waitGone(pid)
    settle(place)
    if (this.#figure.goalRatio) this.#reads.push(copy(place, 'in', amount))
    this.#restores.push(restore(place, ...options))
    killSubject(pid)
  }

  result(): Measured {
    const [writes, reads] = [this.#writes, this.#reads]
    const copies = writes.length > 0 ? { write: median(writes), read: median(reads) } : {}
    return { dump: medians(this.#dumps), restore: medians(this.#restores), ...copies }
  }
}

/** A figure at its amount and at half of it, in turn; half is undefined where nothing can be halved. */
export function measure(
  place: Place,
  figure: Figure,
  amount: number,
  rounds: number,
): { full: Measured; half: Measured | undefined } {
  const full = new Series(place, figure, amount)
  const half = amount > 0 ? new Series(place, figure, amount / 2) : undefined
  for (let i = 0; i < rounds; i++) {
    full.round()
    half?.round()
  }
  return { full: full.result(), half: half?.result() }
}

function medians(timings: readonly Timing[]): Timing {
  const names = new Set(timings.flatMap((timing) => [...timing.stages.keys()]))
  const stages = [...names].map((name): [string, number] => [
    name,
    median(timings.map((timing) => timing.stages.get(name) ?? 0)),
  ])
  return {
    whole: median(timings.map((timing) => timing.whole)),
    cpu: median(timings.map((timing) => timing.cpu)),
    stages: new Map(stages),
  }
}

/** `--version`, in ms. */
export function measureStart(place: Place, rounds: number): number {
  const once = () => {
    const begun = performance.now()
    run(place, [place.criu, '--version'])
    return performance.now() - begun
  }
  return median(Array.from({ length: rounds }, once))
}

/** How long a busy subject sees no time slice while it is dumped and left running, and untouched. */
export interface Gap {
  readonly dumped: number
  readonly untouched: number
  /** The whole command. */
  readonly whole: number
}

export function measureGap(place: Place, mib: number, rounds: number): Gap {
  const pid = startSubject(place, 'gap', mib)
  const [dumped, untouched, whole]: number[][] = [[], [], []]
  try {
    for (let i = 0; i < rounds; i++) {
      settle(place)
      startAnew(place)
      const timing = dump(place, pid, '--leave-running')
      Bun.sleepSync(20)
      dumped!.push(readGap(place))
      whole!.push(timing.whole)
      startAnew(place)
      Bun.sleepSync(timing.whole)
      untouched!.push(readGap(place))
    }
  } finally {
    killSubject(pid)
  }
  return { dumped: median(dumped!), untouched: median(untouched!), whole: median(whole!) }
}

const gapFile = (place: Place): string => join(place.directory, 'gap')

function startAnew(place: Place): void {
  const fd = openSync(gapFile(place), 'r+')
  writeSync(fd, Uint8Array.of(1), 0, 1, 8)
  closeSync(fd)
  Bun.sleepSync(20)
}

const readGap = (place: Place): number =>
  Number(readFileSync(gapFile(place)).readBigInt64LE(0)) / 1e6

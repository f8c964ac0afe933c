import type { Progress } from '../../job/progress.ts'
import type { Channel } from './channel.ts'

/** Milliseconds between two reports within a stage. */
const INTERVAL = 50

/** Where a job is, told to the caller of the library. */
export class ChannelProgress implements Progress {
  /** A tenth of a second of a fast disk. */
  readonly grain = 64 << 20
  readonly #channel: Channel
  #stage = ''
  #bytes = 0
  #total = 0
  #last = 0

  constructor(channel: Channel) {
    this.#channel = channel
  }

  stage(name: string): void {
    this.#stage = name
    this.#report()
  }

  expect(bytes: number): void {
    this.#total += bytes
  }

  advance(bytes = 0): void {
    this.#bytes += bytes
    if (performance.now() - this.#last >= INTERVAL) this.#report()
  }

  end(): void {}

  #report(): void {
    this.#last = performance.now()
    const [stage, bytes] = [this.#stage, this.#bytes]
    const total = Math.max(this.#total, bytes)
    this.#channel.report({ kind: 'progress', stage, bytes, total })
  }
}

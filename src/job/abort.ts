import type { Progress } from './progress.ts'

/**
 * Whoever asked for a job may end it before it is done. It is asked for between steps, where a failure
 * leaves the tree as it was (a dump) or no tree (a restore); progress is such a place as well.
 */
export interface Abort {
  /** Throws `aborted` if the job is no longer wanted; takes a few microseconds. */
  check(): void
}

/** Ended by either. */
export const bothAborts = (first: Abort, second: Abort): Abort => ({
  check() {
    first.check()
    second.check()
  },
})

/** So much is moved between two looks: a tenth of a second of a fast disk. */
const GRAIN = 64 << 20

/** A progress that is such a place: where bytes move, a job may take long. */
export function abortable(progress: Progress, abort: Abort): Progress {
  return {
    grain: Math.min(progress.grain, GRAIN),
    stage: (name) => progress.stage(name),
    expect: (bytes) => progress.expect(bytes),
    advance(bytes) {
      abort.check()
      progress.advance(bytes)
    },
    end: () => progress.end(),
  }
}

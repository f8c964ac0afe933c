import { fail } from '../errors/error.ts'
import type { Abort } from './abort.ts'

/** A moment by which an operation must be over. */
export interface Deadline {
  /** Seconds left; Infinity without a limit, never below 0. */
  remaining(): number
  /** Throws `timeout` once the time is over, `aborted` if the job is no longer wanted. */
  check(): void
}

/**
 * Starts a clock for one operation. `seconds` 0 is no limit, as in upstream's `--timeout 0`.
 * `operation` completes the sentence «… took longer than N seconds».
 */
export function startDeadline(
  operation: string,
  seconds: number,
  abort?: Abort,
  now = monotonic,
): Deadline {
  const end = seconds > 0 ? now() + seconds : Number.POSITIVE_INFINITY
  return {
    remaining: () => Math.max(0, end - now()),
    check() {
      abort?.check()
      if (now() >= end) fail({ code: 'timeout', operation, seconds })
    },
  }
}

const monotonic = (): number => performance.now() / 1000

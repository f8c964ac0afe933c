import { timespec } from '../../kernel/layout/index.ts'
import { scratch } from '../../kernel/memory.ts'
import { must } from '../../kernel/sys.ts'

/** Nanoseconds. */
export const SECOND = 1_000_000_000n

/** A time as struct timespec has it. */
export const split = (nanos: bigint) => ({ sec: nanos / SECOND, nsec: nanos % SECOND })

/** What a clock tells now. */
export function now(clock: number): bigint {
  using s = scratch()
  const memory = s.take(timespec.size)
  must('clock_gettime', clock, memory.address)
  const { sec, nsec } = timespec.decode(memory.bytes)
  return sec * SECOND + nsec
}

interface Times {
  readonly isec: bigint
  readonly insec: bigint
  readonly vsec: bigint
  readonly vnsec: bigint
}

export const intervalOf = ({ isec, insec }: Times): bigint => isec * SECOND + insec
export const leftOf = ({ vsec, vnsec }: Times): bigint => vsec * SECOND + vnsec

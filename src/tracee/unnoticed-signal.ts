import { SIG } from '../kernel/constants/signals.ts'

/** Signals that a task ignores unless told otherwise, and whose coming changes nothing. */
const IGNORED_BY_DEFAULT = [SIG.URG, SIG.WINCH, SIG.CHLD]

/** What an infection must know of the process's signals: bit n − 1 stands for signal n. */
export interface SignalFacts {
  readonly caught: bigint
  readonly ignored: bigint
  /** Pending for the process or any thread. */
  readonly pending: bigint
}

/** A signal that a thread may send itself without anybody noticing once its tracer is gone. */
export function unnoticedSignal(facts: SignalFacts): number | undefined {
  const bit = (signal: number) => 1n << BigInt(signal - 1)
  const usable = (signal: number) => ((facts.caught | facts.pending) & bit(signal)) === 0n
  const byDefault = IGNORED_BY_DEFAULT.find(usable)
  if (byDefault) return byDefault
  for (let signal = 1; signal <= 64; signal++)
    if ((facts.ignored & bit(signal)) !== 0n && usable(signal)) return signal
  return undefined
}

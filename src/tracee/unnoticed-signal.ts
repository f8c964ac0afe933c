import { SIG } from '../kernel/constants/signals.ts'

/** Signals that a task ignores unless told otherwise, and whose coming changes nothing. */
const IGNORED_BY_DEFAULT = [SIG.URG, SIG.WINCH, SIG.CHLD]

/** Each of them takes others of them back that are pending, whether it is ignored or not. */
const JOB_CONTROL = [SIG.CONT, SIG.TSTP, SIG.TTIN, SIG.TTOU]

/** What an infection must know of the process's signals: bit n − 1 stands for signal n. */
export interface SignalFacts {
  readonly caught: bigint
  readonly ignored: bigint
  /** Pending for the process or any thread. */
  readonly pending: bigint
  /** In a group-stop, which SIGCONT ends. */
  readonly isStopped: boolean
}

/**
 * A signal that a thread may send itself without anybody noticing once its tracer is gone. Programs in
 * Go catch every one but those of job control: for them it is SIGCONT, which does nothing to a process
 * that runs and has no signal of job control pending.
 */
export function unnoticedSignal({
  caught,
  ignored,
  pending,
  isStopped,
}: SignalFacts): number | undefined {
  const has = (set: bigint, signal: number) => (set & bit(signal)) !== 0n
  const usable = (signal: number) => !has(caught | pending, signal)
  const byDefault = IGNORED_BY_DEFAULT.find(usable)
  if (byDefault) return byDefault
  for (let signal = 1; signal <= 64; signal++)
    if (has(ignored, signal) && usable(signal) && !isJobControl(signal)) return signal
  const isQuiet = !isStopped && JOB_CONTROL.every((signal) => !has(pending, signal))
  return isQuiet && usable(SIG.CONT) ? SIG.CONT : undefined
}

const bit = (signal: number): bigint => 1n << BigInt(signal - 1)

const isJobControl = (signal: number): boolean =>
  (JOB_CONTROL as readonly number[]).includes(signal)

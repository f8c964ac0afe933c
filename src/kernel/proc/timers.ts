import { fail } from '../../errors/error.ts'
import { readProcFile } from './read.ts'

/** One POSIX timer of /proc/PID/timers (since Linux 3.10; man 5 proc_pid_timers). */
export interface ProcTimer {
  readonly id: number
  readonly signo: number
  /** sigev_value.sival_ptr. */
  readonly value: bigint
  readonly notify: 'signal' | 'none' | 'thread'
  /** The signal goes to one thread (SIGEV_THREAD_ID) and not to the process. */
  readonly toThread: boolean
  /** Pid or tid it goes to, as the procfs counts it; 0 when gone. */
  readonly target: number
  readonly clockId: number
}

const form =
  /^ID: (\d+)\nsignal: (\d+)\/(?:0x)?([0-9a-f]+|\(null\))\nnotify: (signal|none|thread)\/(pid|tid)\.(\d+)\nClockID: (-?\d+)\n?/

/** Parses a timers file. */
export function parseTimers(text: string): ProcTimer[] {
  const timers: ProcTimer[] = []
  for (const part of text.split(/^(?=ID: )/m)) {
    if (part === '') continue
    const match = form.exec(part)
    if (!match) fail({ code: 'internal', reason: `unexpected form of a timer: ${part}` })
    const [, id, signo, value, notify, scope, target, clockId] = match
    timers.push({
      id: Number(id),
      signo: Number(signo),
      value: value === '(null)' ? 0n : BigInt(`0x${value}`),
      notify: notify as ProcTimer['notify'],
      toThread: scope === 'tid',
      target: Number(target),
      clockId: Number(clockId),
    })
  }
  return timers
}

/** Reads `timers` under `/proc/PID`. */
export const readTimers = (path: string): ProcTimer[] => parseTimers(readProcFile(`${path}/timers`))

import { scratch } from './memory.ts'
import { sys, sysOnce } from './sys.ts'

/** Sleeps for that many microseconds; 0 only yields the CPU. Synchronous: tasks may be stopped. */
export function pause(micros: number): void {
  if (micros === 0) {
    sys('sched_yield')
    return
  }
  using s = scratch()
  const timespec = s.take(16)
  timespec.view.setBigInt64(0, BigInt(Math.floor(micros / 1e6)), true)
  timespec.view.setBigInt64(8, BigInt((micros % 1e6) * 1000), true)
  // Interrupted, it ends early.
  sysOnce('nanosleep', timespec.address, 0)
}

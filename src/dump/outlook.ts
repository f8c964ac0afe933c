import type { Outlook } from '../errors/error.ts'
import type { DumpContext } from '../resources/dump-model.ts'
import { bytesToWrite, type TaskMemory } from '../resources/memory/dump-memory.ts'
import { sharedBytes } from '../resources/memory/dump-shared.ts'

/** Entries of a process and of a thread in all images together, and those that a dump has in any case. */
const PROCESS_BYTES = 12 * 1024
const THREAD_BYTES = 3 * 1024
const OTHER_BYTES = 8 * 1024

/**
 * What comes after the look takes so many times as long, with memory left out: to ask the processes and
 * their threads, and to write what they say. Both go with the number of tasks, and with how fast and how
 * busy the machine is.
 */
const REST = 1.5
/** Memory goes into the page cache; of a tree that is left running it is held by a fork instead. */
const MILLIS_PER_GIB = 400
const FORK_MILLIS_PER_GIB = 40
/** A fork is made from so much memory on (held-memory.ts). */
const WORTH_A_FORK = 16 << 20

/** What a dump would be like: `lookMillis` is how long the tree has stood still until now. */
export function estimate(seen: {
  readonly processes: number
  readonly threads: number
  readonly privateBytes: number
  readonly sharedBytes: number
  readonly lookMillis: number
  readonly goesOn: boolean
}): Outlook {
  const { processes, threads, privateBytes, sharedBytes: shared, lookMillis } = seen
  const isHeld = seen.goesOn && privateBytes >= WORTH_A_FORK
  const own = (privateBytes / 2 ** 30) * (isHeld ? FORK_MILLIS_PER_GIB : MILLIS_PER_GIB)
  const written = own + (shared / 2 ** 30) * MILLIS_PER_GIB
  const entries = OTHER_BYTES + processes * PROCESS_BYTES + threads * THREAD_BYTES
  return {
    processes,
    threads,
    bytes: entries + privateBytes + shared,
    millis: lookMillis * (1 + REST) + written,
  }
}

/**
 * Of a tree that was looked at and still stands still. `coldMillis`: how much longer the look would have
 * taken had it not been rehearsed, as no dump is.
 */
export function outlookOf(
  dump: DumpContext,
  memories: readonly TaskMemory[],
  coldMillis = 0,
): Outlook {
  const { tasks, stats, options } = dump
  return estimate({
    processes: tasks.length,
    threads: tasks.reduce((sum, { threads }) => sum + threads.length, 0),
    privateBytes: bytesToWrite(memories),
    sharedBytes: sharedBytes(memories, dump),
    lookMillis: stats.elapsedMicros('frozenTime') / 1000 + coldMillis,
    goesOn: options.finalState === 'running',
  })
}

import type { RestoreModel } from '../resources/restore-model.ts'

/** Bytes of table for a leader, which does most of the work, and for another thread. */
export const LEADER_SLICE = 1 << 20
export const THREAD_SLICE = 128 << 10
/** For helpers and for workers that read pages. */
export const WORKER_SLICE = 1 << 20
const SPARE_SLICES = 8

/** The arena is a file of memory with holes: what no table uses costs nothing. */
export function planArena({ tasks }: RestoreModel): number {
  const threads = tasks.reduce((sum, task) => sum + task.threads.length - 1, 0)
  const helpers = 2 * tasks.length + SPARE_SLICES
  return tasks.length * LEADER_SLICE + threads * THREAD_SLICE + helpers * WORKER_SLICE
}

import type { JobContext } from '../job/context.ts'
import { listChildren } from '../kernel/proc/tasks.ts'

/**
 * Has plugins pause the devices of a tree that still runs (PAUSE_DEVICES); parents first. What a process
 * starts meanwhile they are not told of. Returns how the devices go on.
 */
export function pauseDevices(root: number, { plugins }: JobContext): () => void {
  if (!plugins?.has('pauseDevices')) return () => {}
  const paused: number[] = []
  const resume = (): void => plugins.resumeAnyway(paused)
  try {
    for (const pid of treeOf(root)) {
      paused.push(pid)
      plugins.devices('pauseDevices', pid)
    }
  } catch (error) {
    resume()
    throw error
  }
  return resume
}

function* treeOf(pid: number): Generator<number> {
  yield pid
  for (const child of listChildren('/proc', pid)) yield* treeOf(child)
}

import { runJob } from './engine.ts'
import type { DumpOptions, RestoreOptions } from './options.ts'
import type { DumpResult, RestoreResult } from './results.ts'

/**
 * Saves the tree of processes below `tree` as images in `imagesDir`. The tree ends, unless
 * `leaveRunning` or `leaveStopped` is set. Whatever fails, the tree goes on as it was, and no image
 * stays.
 *
 * @throws {CriuError} rejected with; `detail.code` says what went wrong.
 */
export function dump(options: DumpOptions): Promise<DumpResult> {
  return runJob('dump', { ...options })
}

/**
 * Brings back the tree of `imagesDir`, with the pids that it had. The promise is fulfilled when it
 * runs. A restore that fails leaves no process behind.
 *
 * @throws {CriuError} rejected with; `detail.code` says what went wrong.
 */
export function restore(options: RestoreOptions): Promise<RestoreResult> {
  return runJob('restore', { ...options })
}

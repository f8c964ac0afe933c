import type { Snapshot } from '../inspect/snapshot/model.ts'
import type { Control } from './control.ts'
import { runJob } from './engine.ts'
import type { CheckOptions, DumpOptions, ExplainOptions, RestoreOptions } from './options.ts'
import type { CheckResult, DumpResult, Explanation, RestoreResult } from './results.ts'

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

/** Tries out what the running kernel and our privileges allow; by default what every tree needs. */
export function check(options: CheckOptions = {}): Promise<CheckResult> {
  return runJob('check', { ...options })
}

/**
 * Looks at the tree as a dump with these options does, and lets it go: what stands in the way, how large
 * the images would be, how long the tree would stand still. Each look takes milliseconds.
 */
export function explain(options: ExplainOptions): Promise<Explanation> {
  return runJob('explain', { ...options })
}

/** What a directory of images holds: processes, memory, descriptors, sockets, mounts, statistics. */
export function readImages(imagesDir: string, control: Control = {}): Promise<Snapshot> {
  return runJob('readImages', { ...control, imagesDir })
}

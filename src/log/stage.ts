import type { Log } from './log.ts'

/** The part of a job's context that a stage is told to. */
interface Listeners {
  readonly log: Log
  readonly progress: { stage(name: string): void }
}

/**
 * Runs one stage of a job and logs its name and how long it took (level 3), also when it throws.
 * Synchronous stages stay synchronous: while tasks are stopped nothing may wait.
 */
export function stage<T>({ log, progress }: Listeners, name: string, fn: () => T): T {
  const begun = performance.now()
  progress.stage(name)
  log.info(`${name} begins`)
  const ended = (how: string): void =>
    log.info(`${name} ${how} after ${(performance.now() - begun).toFixed(3)} ms`)
  try {
    const result = fn()
    if (!(result instanceof Promise)) {
      ended('done')
      return result
    }
    return result.then(
      (value) => {
        ended('done')
        return value
      },
      (error) => {
        ended('failed')
        throw error
      },
    ) as T
  } catch (error) {
    ended('failed')
    throw error
  }
}

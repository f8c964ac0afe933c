import {
  existsSync,
  mkdirSync,
  readdirSync,
  removeAllSync,
  SystemError,
  writeFileSync,
} from '../kernel/fs.ts'

/**
 * Notes of the locks that were made and not removed yet, one empty file for each: asking the kernel's
 * packet filter for them takes as long as a tenth of a small dump, and may load its modules. /run is
 * empty after a reboot, as the filter is.
 */
const DIRECTORY = '/run/criu-ts-locks'

/** Before a lock is made. Where it cannot be noted, only the next job that locks something finds it. */
export function noteLock(id: string): void {
  try {
    if (!existsSync(DIRECTORY)) mkdirSync(DIRECTORY, { mode: 0o700 })
    writeFileSync(`${DIRECTORY}/${id}`, '', { mode: 0o600 })
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
  }
}

export function forgetLock(id: string): void {
  try {
    removeAllSync(`${DIRECTORY}/${id}`)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
  }
}

/** Is there a lock that somebody may have left. Whoever may not look could not remove it either. */
export function anyNoted(): boolean {
  try {
    return existsSync(DIRECTORY) && readdirSync(DIRECTORY).length > 0
  } catch (error) {
    if (error instanceof SystemError) return false
    throw error
  }
}

import { ImageDirectory } from '../images/directory.ts'
import type { Stats } from '../job/stats.ts'

/** `stats-restore`, which tools read from the work directory. */
export function writeStats(workDir: string, stats: Stats): void {
  const { restore } = stats.restoreEntry()
  using directory = ImageDirectory.open(workDir)
  directory.write('stats-restore', [
    {
      restore: {
        pages_compared: restore.pagesCompared,
        pages_skipped_cow: restore.pagesSkippedCow,
        forking_time: restore.forkingTime,
        restore_time: restore.restoreTime,
        pages_restored: restore.pagesRestored,
      },
    },
  ])
}

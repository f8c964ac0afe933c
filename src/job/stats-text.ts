import type { Stats } from './stats.ts'

/** What `--display-stats` prints; the lines are upstream 4.2's. */
export function dumpStatsText(stats: Stats): string {
  const { dump } = stats.dumpEntry()
  return lines('dump', [
    ['Freezing time', time(dump.freezingTime)],
    ['Frozen time', time(dump.frozenTime)],
    ['Memory dump time', time(dump.memdumpTime)],
    ['Memory write time', time(dump.memwriteTime)],
    ['IRMAP resolve time', time(dump.irmapResolve)],
    ['Memory pages scanned', pages(dump.pagesScanned)],
    ['Memory pages skipped from parent', pages(dump.pagesSkippedParent)],
    ['Memory pages written', pages(dump.pagesWritten)],
    ['Lazy memory pages', pages(dump.pagesLazy)],
  ])
}

export function restoreStatsText(stats: Stats): string {
  const { restore } = stats.restoreEntry()
  return lines('restore', [
    ['Pages compared', pages(restore.pagesCompared)],
    ['Pages skipped COW', pages(restore.pagesSkippedCow)],
    ['Pages restored', pages(restore.pagesRestored)],
    ['Restore time', time(restore.restoreTime)],
    ['Forking time', time(restore.forkingTime)],
  ])
}

const time = (micros: number): string => `${micros} us`
const pages = (count: bigint): string => `${count} (0x${count.toString(16)})`

function lines(job: string, rows: readonly (readonly [string, string])[]): string {
  const body = rows.map(([name, value]) => `${name}: ${value}\n`).join('')
  return `Displaying ${job} stats:\n${body}`
}

import type { Messages } from '../../images/gen/messages.ts'
import type { DumpStatistics, Stage } from './model.ts'

/** `(00.124833) probe done after 5.034 ms`; upstream's lines are of another form and have no stages. */
const DONE = /^\((\d+)\.(\d{6})\) (?:\[[^\]]*\] )?([a-z][a-z -]*) done after ([\d.]+) ms$/gm

/** The stages that a log of ours tells of, in their order. */
export function stagesOf(log: string): Stage[] {
  return [...log.matchAll(DONE)]
    .map(([, seconds, micros, name, took]) => {
      const end = Number(seconds) * 1000 + Number(micros) / 1000
      const duration = Number(took)
      return { name: name!, start: Math.max(0, end - duration), duration }
    })
    .sort((a, b) => a.start - b.start)
}

export function statisticsOf(
  entry: Messages['stats_entry'] | undefined,
): DumpStatistics | undefined {
  const dump = entry?.dump
  if (dump === undefined) return undefined
  return {
    freezing: dump.freezing_time,
    frozen: dump.frozen_time,
    memoryDump: dump.memdump_time,
    memoryWrite: dump.memwrite_time,
    pagesScanned: Number(dump.pages_scanned),
    pagesSkipped: Number(dump.pages_skipped_parent),
    pagesWritten: Number(dump.pages_written),
  }
}

import { tryReadStat } from '../../kernel/proc/stat.ts'

/**
 * The first of some pids that is a living process outside of a tree, and not ourselves. The kernel notes
 * who last used an object; who else has it in mind it does not know.
 */
export function outsider(pids: Iterable<number>, tree: ReadonlySet<number>): number | undefined {
  for (const pid of pids) {
    if (pid === 0 || pid === process.pid || tree.has(pid)) continue
    const state = tryReadStat(`/proc/${pid}`)?.state ?? 'X'
    if (state !== 'Z' && state !== 'X') return pid
  }
  return undefined
}

import { displayPath } from '../../kernel/proc/bytes.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'

/**
 * Notes that the file of a probe cannot be dumped: what it is, and what the user can do; `option` is the
 * one of the dump that helps, with its value (`--ghost-limit 3000000`).
 */
export function refuseFile(
  dump: DumpContext,
  probe: FdProbe,
  what: string,
  remedy?: string,
  option?: string,
): void {
  dump.refuse({
    pid: probe.task.pid,
    comm: displayPath(probe.task.stat.comm),
    where: placeOf(probe),
    what,
    ...(remedy !== undefined && { remedy }),
    ...(option !== undefined && { option }),
  })
}

/** `fd 5`, or for what is no descriptor what led to it: `cwd`, `map_files/7f00-7f01`. */
function placeOf(probe: FdProbe): string {
  if (probe.inFlight !== undefined) return `in the queue of fd ${probe.inFlight}`
  if (probe.fd !== undefined) return `fd ${probe.fd}`
  const { proc } = probe.task
  return probe.path.startsWith(`${proc}/`) ? probe.path.slice(proc.length + 1) : probe.path
}

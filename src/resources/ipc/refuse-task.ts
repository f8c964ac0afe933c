import { displayPath } from '../../kernel/proc/bytes.ts'
import type { DumpContext, DumpTask } from '../dump-model.ts'

/** Notes what of a task cannot be dumped. */
export function refuseTask(
  dump: DumpContext,
  { pid, stat }: DumpTask,
  what: string,
  remedy?: string,
): void {
  const comm = displayPath(stat.comm)
  dump.refuse({ pid, comm, where: 'task', what, ...(remedy === undefined ? {} : { remedy }) })
}

import { MCL } from '../../kernel/constants/mman.ts'
import { parseSmaps } from '../../kernel/proc/maps.ts'
import { readProcFile } from '../../kernel/proc/read.ts'
import { readStatus } from '../../kernel/proc/status.ts'
import type { DumpTask } from '../dump-model.ts'
import { taskExtra } from '../task-extra.ts'

/**
 * mlockall(MCL_FUTURE) is told nowhere. But it holds for our own region too, which has just been
 * mapped into the task: the process has more locked memory than before.
 */
export function noteFutureLocks(task: DumpTask): void {
  const locked = (status: DumpTask['status']) => status.memory.get('VmLck') ?? 0
  if (locked(readStatus(task.proc)) <= locked(task.status)) return
  const known = new Set(task.maps.map(({ start }) => start))
  const region = parseSmaps(readProcFile(`${task.proc}/smaps`)).find(
    ({ start, vmFlags }) => !known.has(start) && vmFlags.has('lo'),
  )
  if (!region) return
  const onFault = region.vmFlags.has('lf') ? MCL.ONFAULT : 0
  taskExtra(task).lock_future = MCL.FUTURE | onFault
}

import { fail } from '../../errors/error.ts'
import { PR } from '../../kernel/constants/prctl.ts'
import { writeFileSync } from '../../kernel/fs.ts'
import { readProcFile } from '../../kernel/proc/read.ts'
import type { TaskAspect } from '../contract.ts'
import { restoredTask, taskExtra } from '../task-extra.ts'

/** MEMBARRIER_CMD_GET_REGISTRATIONS (since Linux 6.3). */
const GET_REGISTRATIONS = 1 << 9
/** MEMBARRIER_CMD_REGISTER_* (linux/membarrier.h): global, private, with core sync, with rseq. */
const REGISTRATIONS = [1 << 2, 1 << 4, 1 << 6, 1 << 8]
/** PR_SET_THP_DISABLE alone; above it are flags (since Linux 6.18). */
const THP_DISABLED = 1
/** What /proc/PID/coredump_filter has unless it was changed (man 5 core). */
const DEFAULT_CORE_FILTER = 0x33n

/** What is set for an address space as a whole. */
export const memoryControls: TaskAspect = {
  name: 'memory controls',

  collect(task) {
    const filter = BigInt(`0x${readProcFile(`${task.proc}/coredump_filter`).trim()}`)
    if (filter !== DEFAULT_CORE_FILTER) taskExtra(task).coredump_filter = filter
  },

  askProcess(task, table) {
    const thp = table.attempt('prctl', PR.GET_THP_DISABLE, 0, 0, 0, 0)
    const registrations = table.attempt('membarrier', GET_REGISTRATIONS, 0, 0)
    const mdwe = table.attempt('prctl', PR.GET_MDWE, 0, 0, 0, 0)
    const merge = table.attempt('prctl', PR.GET_MEMORY_MERGE, 0, 0, 0, 0)
    return () => {
      const extra = taskExtra(task)
      task.mm.thp_disabled = thp.number > 0
      if (thp.number > THP_DISABLED) extra.thp_disable = thp.number
      if (registrations.number > 0) task.core.membarrier_registration_mask = registrations.number
      if (mdwe.number > 0) extra.mdwe = mdwe.number
      if (merge.number > 0) extra.memory_merge = merge.number
    }
  },

  placeProcess(task, table, restore) {
    const extra = restoredTask(task, restore)
    if (task.mm?.thp_disabled) {
      const flags = (extra?.thp_disable ?? THP_DISABLED) & ~THP_DISABLED
      table.call('prctl', PR.SET_THP_DISABLE, 1, flags, 0, 0)
    } else table.attempt('prctl', PR.SET_THP_DISABLE, 0, 0, 0, 0)
    if (extra?.memory_merge) table.call('prctl', PR.SET_MEMORY_MERGE, 1, 0, 0, 0)
    const registered = task.core.tc?.membarrier_registration_mask ?? 0
    if (registered & ~REGISTRATIONS.reduce((sum, one) => sum | one))
      fail({
        code: 'image',
        file: restore.images.pathOf('core', task.nsPid),
        reason: `membarrier registrations 0x${registered.toString(16)}, of which not all are known`,
      })
    for (const command of REGISTRATIONS)
      if (registered & command) table.call('membarrier', command, 0, 0)
  },

  // Last: it forbids what a restore does with mappings.
  finishThread(task, thread, table, restore) {
    const mdwe = restoredTask(task, restore)?.mdwe
    if (thread === task.threads[0] && mdwe) table.call('prctl', PR.SET_MDWE, mdwe, 0, 0, 0)
  },

  finishOutside(task, thread, restore) {
    if (thread !== task.threads[0]) return
    const filter = restoredTask(task, restore)?.coredump_filter ?? DEFAULT_CORE_FILTER
    const path = `/proc/${task.pid}/coredump_filter`
    if (BigInt(`0x${readProcFile(path).trim()}`) !== filter) writeFileSync(path, `${filter}`)
  },
}

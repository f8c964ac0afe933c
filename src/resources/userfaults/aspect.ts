import { displayPath } from '../../kernel/proc/bytes.ts'
import type { TaskAspect } from '../contract.ts'
import { registeredMappings } from '../memory/registered.ts'
import { entriesOf } from './book.ts'
import { claim } from './dump.ts'
import { make } from './restore.ts'

/** What of userfaultfds belongs to a task's memory: registered mappings, and the making of them. */
export const userfaults: TaskAspect = {
  name: 'userfaultfd',

  collect(task, dump) {
    const registered = registeredMappings(task)
    if (registered.length === 0) return
    for (const { mapping } of claim(task, registered, dump))
      dump.refuse({
        pid: task.pid,
        comm: displayPath(task.stat.comm),
        where: `memory ${mapping.start.toString(16)}-${mapping.end.toString(16)}`,
        what: 'memory registered with a userfaultfd that the process does not have open itself',
        remedy: 'let the process keep it open besides the one that answers its faults',
      })
  },

  placeProcess(task, table, restore) {
    for (const entry of entriesOf(restore))
      if (entry.owner === task.nsPid) make(entry, task, table, restore)
  },
}

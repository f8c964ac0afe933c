import { robustList, robustList32 } from '../../kernel/robust-list.ts'
import type { TaskAspect } from '../contract.ts'
import { isCompatDump, isCompatRestore } from '../task-abi.ts'

/** What the kernel does in memory at a thread's end: robust futexes, the cleared thread id. */
export const threadEnds: TaskAspect = {
  name: 'thread ends',

  collect(task) {
    for (const thread of task.threads) {
      const { tid } = thread.seized
      const { head, length } = isCompatDump(task) ? robustList32(tid) : robustList(tid)
      thread.core.futex_rla = head
      thread.core.futex_rla_len = length
    }
  },

  placeThread(task, thread, table) {
    const core = thread.core.thread_core
    if (core && core.futex_rla_len !== 0) {
      const { futex_rla: head, futex_rla_len: length } = core
      if (isCompatRestore(task)) table.call32('set_robust_list', head, length)
      else table.call('set_robust_list', head, length)
    }
    const clear = thread.core.thread_info?.clear_tid_addr
    if (clear !== undefined) table.call('set_tid_address', clear)
  },
}

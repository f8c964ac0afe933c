import { scratch } from '../../kernel/memory.ts'
import { must } from '../../kernel/sys.ts'
import type { TaskAspect } from '../contract.ts'

/** What the kernel does in memory at a thread's end: robust futexes, the cleared thread id. */
export const threadEnds: TaskAspect = {
  name: 'thread ends',

  collect(task) {
    for (const thread of task.threads) {
      using s = scratch()
      const head = s.take(8)
      const length = s.take(8)
      must('get_robust_list', thread.seized.tid, head.address, length.address)
      thread.core.futex_rla = head.view.getBigUint64(0, true)
      thread.core.futex_rla_len = Number(length.view.getBigUint64(0, true))
    }
  },

  placeThread(_task, thread, table) {
    const core = thread.core.thread_core
    if (core && core.futex_rla_len !== 0)
      table.call('set_robust_list', core.futex_rla, core.futex_rla_len)
    const clear = thread.core.thread_info?.clear_tid_addr
    if (clear !== undefined) table.call('set_tid_address', clear)
  },
}

import { PR } from '../kernel/constants/prctl.ts'
import type { ReadAnswers, TaskAspect } from '../resources/contract.ts'
import type { DumpContext, DumpTask } from '../resources/dump-model.ts'

/**
 * What only the task itself can be asked: one table for the process, run by the helper, and one in
 * each of its threads.
 */
export function askTask(task: DumpTask, aspects: readonly TaskAspect[], dump: DumpContext): void {
  const infection = task.infection!
  const table = infection.table()
  const brk = table.call('brk', 0)
  const readers = aspects.map((aspect) => aspect.askProcess?.(task, table, dump))
  infection.run(table, 'ask for its state')
  task.mm.mm_brk = brk.value!
  readAll(readers)
  for (const aspect of aspects) aspect.interview?.(task, infection, dump)
  infection.visit((seized, threadTable) => {
    const thread = task.threads.find((candidate) => candidate.seized === seized)!
    const clearTid = threadTable.space(8)
    threadTable.call('prctl', PR.GET_TID_ADDRESS, clearTid)
    const threadReaders = aspects.map((aspect) =>
      aspect.askThread?.(task, thread, threadTable, dump),
    )
    return () => {
      thread.machine.clear_tid_addr = clearTid.view.getBigUint64(0, true)
      readAll(threadReaders)
    }
  })
}

function readAll(readers: readonly (ReadAnswers | undefined)[]): void {
  for (const read of readers) read?.()
}

import { fail } from '../../errors/error.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import type { DumpContext, DumpTask } from '../dump-model.ts'

/** Notes a state of a task itself (neither of a descriptor nor of its memory) that cannot be dumped. */
export function refuse(dump: DumpContext, task: DumpTask, what: string, remedy?: string): void {
  dump.refuse({
    pid: task.pid,
    comm: displayPath(task.stat.comm),
    where: 'task',
    what,
    ...(remedy === undefined ? {} : { remedy }),
  })
}

/** Ends the dump at once: what shows only when the tasks are asked themselves. */
export function stopAt(task: DumpTask, what: string): never {
  const comm = displayPath(task.stat.comm)
  return fail({ code: 'obstacles', obstacles: [{ pid: task.pid, comm, where: 'task', what }] })
}

import type { TaskAspect } from '../contract.ts'
import { taskExtra, threadExtra } from '../task-extra.ts'

/** Writes the image; the state itself belongs to the other aspects. */
export const extra: TaskAspect = {
  name: 'extra',

  finishDump(dump) {
    for (const task of dump.tasks) {
      const threads = task.threads
        .filter((thread) => says(threadExtra(thread)))
        .map((thread) => ({ tid: thread.nsTid, ...threadExtra(thread) }))
      if (threads.length === 0 && !says(taskExtra(task))) continue
      dump.images.write('criu-ts-task', [{ ...taskExtra(task), threads }], task.nsPid)
    }
  },
}

const says = (extra: object): boolean =>
  Object.values(extra).some((value) =>
    Array.isArray(value) ? value.length > 0 : value !== undefined,
  )

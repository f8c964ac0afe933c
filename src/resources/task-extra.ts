import type { Messages } from '../images/gen/messages.ts'
import type { DumpTask, DumpThread } from './dump-model.ts'
import type { RestoreContext, RestoreTask, RestoreThread } from './restore-model.ts'

/**
 * State for which upstream's messages have no field. It goes into an image of our own, one for each
 * task that has such state; upstream passes over it, and a restore does without it.
 */
export type TaskExtra = Omit<Messages['criuts_task_extra'], 'threads'>
export type ThreadExtra = Omit<Messages['criuts_thread_extra'], 'tid'>

const ofTasks = new WeakMap<DumpTask, TaskExtra>()
const ofThreads = new WeakMap<DumpThread, ThreadExtra>()

/** What a task has to say beyond upstream's fields; aspects add to it while they dump. */
export const taskExtra = (task: DumpTask): TaskExtra =>
  remembered(ofTasks, task, () => ({ timers: [], vmas: [], semadj: [] }))

/** As taskExtra, of one thread. */
export const threadExtra = (thread: DumpThread): ThreadExtra =>
  remembered(ofThreads, thread, () => ({ speculation: [] }))

const restored = new WeakMap<RestoreTask, Messages['criuts_task_extra'] | { none: true }>()

/** What the image of our own has of a task; undefined where it is absent. */
export function restoredTask(
  task: RestoreTask,
  restore: RestoreContext,
): Messages['criuts_task_extra'] | undefined {
  const found = remembered(
    restored,
    task,
    () => restore.images.tryReadOne('criu-ts-task', task.nsPid) ?? { none: true as const },
  )
  return 'none' in found ? undefined : found
}

/** As restoredTask, of one thread. */
export function restoredThread(
  task: RestoreTask,
  thread: RestoreThread,
  restore: RestoreContext,
): Messages['criuts_thread_extra'] | undefined {
  return restoredTask(task, restore)?.threads.find(({ tid }) => tid === thread.nsTid)
}

function remembered<K extends object, V>(map: WeakMap<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const value = make()
  map.set(key, value)
  return value
}

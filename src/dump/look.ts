import { O } from '../kernel/constants/fcntl.ts'
import type { HostPid } from '../kernel/types.ts'
import { stage } from '../log/stage.ts'
import type { DumpContext, DumpTask } from '../resources/dump-model.ts'
import {
  collectMemory,
  shareWithParents,
  type TaskMemory,
} from '../resources/memory/dump-memory.ts'
import { PAGE_SIZE } from '../resources/memory/dump-pages.ts'
import { taskAspects } from '../resources/registry.ts'
import { cgroupObstacles } from './cgroups.ts'
import {
  type DumpZombie,
  namespaceObstacles,
  sharedMemoryObstacles,
  unlikeThreadObstacles,
} from './collect.ts'
import type { DumpFiles } from './files.ts'
import { collectMachine } from './machine.ts'
import { sessionObstacles } from './outside.ts'
import { collectRestart } from './restart-calls.ts'
import type { Wait } from './waits.ts'

/** What is looked at besides the tasks. */
interface Scene {
  readonly files: DumpFiles
  readonly zombies: readonly DumpZombie[]
  readonly waits: ReadonlyMap<HostPid, Wait>
}

/**
 * All that can be known of a tree that stands still without running anything in it. What cannot be
 * dumped is refused; nothing of the tasks is changed.
 */
export function lookAtTree(dump: DumpContext, { files, zombies, waits }: Scene): TaskMemory[] {
  const { tasks } = dump
  const found = [
    ...namespaceObstacles(tasks),
    ...sharedMemoryObstacles(tasks),
    ...unlikeThreadObstacles(tasks),
    ...sessionObstacles(dump, zombies),
    ...cgroupObstacles(dump),
  ]
  for (const obstacle of found) dump.refuse(obstacle)
  const memories = stage(dump, 'drain', () => {
    // First of all, since no file may be opened where a task is asked for permission (fanotify).
    for (const task of tasks) files.addTask(task)
    return shareWithParents(
      tasks.map((task) => {
        dump.abort?.check()
        return lookAt(task, dump, files, waits)
      }),
    )
  })
  files.finish()
  return memories
}

function lookAt(
  task: DumpTask,
  dump: DumpContext,
  files: DumpFiles,
  waits: ReadonlyMap<HostPid, Wait>,
): TaskMemory {
  for (const thread of task.threads)
    collectMachine(thread, collectRestart(task, thread, waits.get(thread.seized.tid)))
  for (const aspect of taskAspects) aspect.collect?.(task, dump)
  const memory = dump.stats.measure('memdumpTime', () => collectMemory(task, dump))
  const scanned = memory.segments.reduce((sum, { length }) => sum + length, 0)
  dump.stats.count('pagesScanned', scanned / PAGE_SIZE)
  task.places = {
    cwd: files.idOfPath(task, `${task.proc}/cwd`, O.RDONLY),
    root: files.idOfPath(task, `${task.proc}/root`, O.RDONLY),
  }
  return memory
}

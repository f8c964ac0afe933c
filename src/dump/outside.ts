import type { Obstacle } from '../errors/error.ts'
import { displayPath } from '../kernel/proc/bytes.ts'
import { tryReadStat } from '../kernel/proc/stat.ts'
import type { DumpContext, DumpTask } from '../resources/dump-model.ts'
import { type DumpZombie, obstacle } from './collect.ts'

/**
 * Sessions and process groups whose leader lives, but not in the tree: a restore could only join them
 * as the child of that very session, which is what `--shell-job` asks for.
 */
export function sessionObstacles(dump: DumpContext, zombies: readonly DumpZombie[]): Obstacle[] {
  if (dump.options.shellJob) return []
  const pids = new Set([
    ...dump.tasks.map((task) => task.nsPid as number),
    ...zombies.map((zombie) => zombie.nsPid),
  ])
  return dump.tasks.flatMap((task) => {
    const { sid, pgid } = task.status.innermost
    if (!pids.has(sid) && isAlive(sid)) return [outside(task, 'session', sid)]
    if (!pids.has(pgid) && isAlive(pgid)) return [outside(task, 'process group', pgid)]
    return []
  })
}

/** Without namespaces of its own, a task counts pids as we do. 0: outside of our namespace. */
function isAlive(pid: number): boolean {
  return pid === 0 || tryReadStat(`/proc/${pid}`) !== undefined
}

function outside(task: DumpTask, what: string, leader: number): Obstacle {
  const comm = tryReadStat(`/proc/${leader}`)?.comm ?? 'outside of our pid namespace'
  return obstacle(
    task,
    'task',
    `its ${what} leader ${leader} (${displayPath(comm)}) is not in the tree`,
    {
      remedy: 'start it with setsid, dump a tree that holds the leader, or use --shell-job',
      option: '--shell-job',
    },
  )
}

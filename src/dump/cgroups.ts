import type { Obstacle } from '../errors/error.ts'
import { displayPath } from '../kernel/proc/bytes.ts'
import { type CgroupLine, readCgroup } from '../kernel/proc/cgroup.ts'
import type { DumpContext } from '../resources/dump-model.ts'
import { obstacle } from './collect.ts'

/**
 * Where a client asks for cgroups to be restored. Its runtime puts criu into the group of the tree, and
 * all tasks come back there: those that were in others would be in the wrong one.
 */
export function cgroupObstacles({ client, tasks }: DumpContext): Obstacle[] {
  if (!client?.keepsCgroups) return []
  const [root, ...others] = tasks
  const groups = readCgroup(root!.proc)
  return others.flatMap((task) => {
    const other = firstOther(groups, readCgroup(task.proc))
    if (other === undefined) return []
    const what = `cgroup ${displayPath(other.path)}, which is not that of the tree's root`
    const remedy = 'move it to the cgroup of the root, or ask without manage_cgroups'
    return [obstacle(task, 'task', what, { remedy })]
  })
}

const firstOther = (of: readonly CgroupLine[], others: readonly CgroupLine[]) =>
  others.find(({ hierarchy, path }) => of.find((one) => one.hierarchy === hierarchy)?.path !== path)

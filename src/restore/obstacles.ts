import type { Obstacle } from '../errors/error.ts'
import type { Messages } from '../images/gen/messages.ts'
import type { RestoreOptions } from '../job/options.ts'
import { displayPath } from '../kernel/proc/bytes.ts'
import { type FileId, fileId } from '../kernel/types.ts'
import { describeUnsupported } from '../resources/files/unsupported-entry.ts'
import { mappingObstacles } from '../resources/memory/restore-obstacles.ts'
import { fdKinds } from '../resources/registry.ts'
import type { RestoreModel, RestoreTask } from '../resources/restore-model.ts'

/**
 * All that the images hold and that cannot be restored: refused before a task is created, each object
 * named. Nothing is ever left out silently.
 */
export function findObstacles(model: RestoreModel, options: RestoreOptions): Obstacle[] {
  return model.tasks.flatMap((task) => [
    ...namespaceObstacles(task, model),
    ...fileObstacles(task, model, options),
    ...sharingObstacles(task, model),
    ...mappingObstacles(task),
  ])
}

function obstacle(task: RestoreTask, where: string, what: string, remedy?: string): Obstacle {
  const comm = displayPath(task.core.tc?.comm ?? '')
  return { pid: task.nsPid, comm, where, what, ...(remedy ? { remedy } : {}) }
}

const NAMESPACES = [
  ['pid_ns_id', 'pid'],
  ['net_ns_id', 'network'],
  ['ipc_ns_id', 'IPC'],
  ['uts_ns_id', 'UTS'],
  ['mnt_ns_id', 'mount'],
  ['user_ns_id', 'user'],
  ['cgroup_ns_id', 'cgroup'],
  ['time_ns_id', 'time'],
] as const satisfies readonly (readonly [keyof Messages['task_kobj_ids_entry'], string])[]

/** root_ids are the namespaces of the one who dumped: what differs was a namespace of the tree's own. */
function namespaceObstacles(task: RestoreTask, { inventory }: RestoreModel): Obstacle[] {
  const outside = inventory.root_ids
  if (!outside || task.state === 'zombie') return []
  return NAMESPACES.filter(([field]) => {
    const [own, host] = [task.ids[field], outside[field]]
    return own !== undefined && host !== undefined && own !== host
  }).map(([, name]) => obstacle(task, 'task', `a ${name} namespace of its own`))
}

/** Files without a kind to open them, or that these options leave out: by the descriptor or place. */
function fileObstacles(
  task: RestoreTask,
  { files }: RestoreModel,
  options: RestoreOptions,
): Obstacle[] {
  const kinds = new Map(fdKinds.map((kind) => [kind.type, kind]))
  const why = (id: FileId): { what: string; remedy?: string } | undefined => {
    const entry = files.get(id)
    if (!entry) return undefined
    const kind = kinds.get(entry.type)
    return kind ? kind.obstacle?.(entry, options) : { what: describeUnsupported(entry) }
  }
  const places: [string, number][] = task.fds.map(({ fd, id }) => [`fd ${fd}`, id])
  if (task.fs) places.push(['current directory', task.fs.cwd_id], ['root', task.fs.root_id])
  if (task.mm) places.push(['program', task.mm.exe_file_id])
  return places.flatMap(([where, id]) => {
    const found = why(fileId(id))
    return found ? [obstacle(task, where, found.what, found.remedy)] : []
  })
}

/** Objects can be shared with the parent alone: a new task gets them by clone. */
function sharingObstacles(task: RestoreTask, { tasks }: RestoreModel): Obstacle[] {
  if (task.state === 'zombie' || task === tasks[0]) return []
  const first = (field: 'vm_id' | 'files_id' | 'fs_id') =>
    tasks.find((other) => other.ids[field] === task.ids[field])
  const parent = tasks.find(({ nsPid: pid }) => pid === task.ppid)
  return (
    [
      ['vm_id', 'memory'],
      ['files_id', 'a descriptor table'],
      ['fs_id', 'the current directory'],
    ] as const
  ).flatMap(([field, what]) => {
    const shared = first(field)
    if (shared === task || parent?.ids[field] === task.ids[field]) return []
    return [obstacle(task, 'task', `${what} shared with process ${shared?.nsPid}, not its parent`)]
  })
}

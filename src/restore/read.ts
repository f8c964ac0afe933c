import { fail } from '../errors/error.ts'
import type { ImageDirectory } from '../images/directory.ts'
import type { Messages } from '../images/gen/messages.ts'
import { type NsPid, nsPid } from '../kernel/types.ts'
import type { RestoreModel, RestoreTask, RestoreThread } from '../resources/restore-model.ts'
import { checkModel } from './check-model.ts'
import { readFiles } from './read-files.ts'

/**
 * All images of a directory as one model. What is damaged, missing or contradicts itself ends in one
 * CriuError `image` with the file's name; nothing has been touched by then.
 */
export function readModel(images: ImageDirectory): RestoreModel {
  const inventory = images.readOne('inventory')
  const { img_version: version } = inventory
  if (version !== 1 && version !== 2)
    fail({
      code: 'image',
      file: images.pathOf('inventory'),
      reason: `images of version ${version}, which nobody knows`,
    })
  const files = readFiles(images)
  // Read again where a task needs it; damage is told in any case.
  images.tryReadAll('seccomp')
  const tasks = readTree(images).map((entry) => readTask(images, inventory, entry))
  const terminals = images.tryReadAll('tty-info') ?? []
  const model = { inventory, tasks: parentsFirst(tasks, images), files, terminals }
  checkModel(model, images)
  return model
}

type TreeEntry = Messages['pstree_entry']

function readTree(images: ImageDirectory): TreeEntry[] {
  const entries = images.readAll('pstree')
  if (entries.length === 0)
    fail({ code: 'image', file: images.pathOf('pstree'), reason: 'it holds no process' })
  return entries
}

/** task_core_entry.task_state */
const ALIVE = 1
const DEAD = 2
const STOPPED = 3

function stateOf(core: Messages['core_entry'], file: string): RestoreTask['state'] {
  switch (core.tc?.task_state) {
    case ALIVE:
      return 'alive'
    case DEAD:
      return 'zombie'
    case STOPPED:
      return 'stopped'
    default: {
      const reason = core.tc ? `unknown task state ${core.tc.task_state}` : 'no task_core_entry'
      return fail({ code: 'image', file, entry: 0, reason })
    }
  }
}

function readTask(
  images: ImageDirectory,
  inventory: Messages['inventory_entry'],
  entry: TreeEntry,
): RestoreTask {
  const { pid } = entry
  const core = images.readOne('core', pid)
  const state = stateOf(core, images.pathOf('core', pid))
  const common = {
    nsPid: nsPid(pid),
    ppid: nsPid(entry.ppid),
    pgid: nsPid(entry.pgid),
    sid: nsPid(entry.sid),
    state,
    core,
    pid: undefined,
  }
  const leader: RestoreThread = { nsTid: nsPid(pid), core, tid: undefined }
  if (state === 'zombie')
    return {
      ...common,
      threads: [leader],
      ids: noIds,
      mm: undefined,
      fs: undefined,
      fds: [],
    }
  const ids = core.ids ?? images.readOne('ids', pid)
  return {
    ...common,
    threads: [leader, ...readThreads(images, entry)],
    ids,
    mm: readMm(images, pid),
    fs: images.readOne('fs', pid),
    fds: readFds(images, inventory.fdinfo_per_id ? ids.files_id : pid),
  }
}

const noIds: Messages['task_kobj_ids_entry'] = { vm_id: 0, files_id: 0, fs_id: 0, sighand_id: 0 }

function readThreads(images: ImageDirectory, { pid, threads }: TreeEntry): RestoreThread[] {
  const others = threads.filter((tid) => tid !== pid)
  return others.map((tid) => ({
    nsTid: nsPid(tid),
    core: images.readOne('core', tid),
    tid: undefined,
  }))
}

/** Since CRIU 1.6 the mappings are in mm-PID, before that in an image of their own. */
function readMm(images: ImageDirectory, pid: number): Messages['mm_entry'] {
  const mm = images.readOne('mm', pid)
  if (mm.vmas.length > 0) return mm
  return { ...mm, vmas: images.tryReadAll('vmas', pid) ?? [] }
}

function readFds(images: ImageDirectory, id: number): Messages['fdinfo_entry'][] {
  return images.readAll('fdinfo', id)
}

/** Orders the tasks parents before children; the root is first. */
function parentsFirst(tasks: readonly RestoreTask[], images: ImageDirectory): RestoreTask[] {
  const file = images.pathOf('pstree')
  const known = new Set<NsPid>()
  for (const [entry, { nsPid: pid }] of tasks.entries()) {
    if (known.has(pid)) fail({ code: 'image', file, entry, reason: `pid ${pid} appears twice` })
    known.add(pid)
  }
  const roots = tasks.filter((task) => !known.has(task.ppid))
  if (roots.length !== 1)
    fail({ code: 'image', file, reason: `${roots.length} processes without a parent, not one` })
  const children = Map.groupBy(tasks, (task) => task.ppid)
  const ordered = [roots[0]!]
  // The list grows while it is gone through.
  for (const parent of ordered)
    for (const task of children.get(parent.nsPid) ?? []) if (task !== roots[0]) ordered.push(task)
  if (ordered.length !== tasks.length)
    fail({ code: 'image', file, reason: 'parents and children do not form one tree' })
  return ordered
}

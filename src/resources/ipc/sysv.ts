import { fail, type Obstacle } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { SHM } from '../../kernel/constants/ipc.ts'
import { nsPid } from '../../kernel/types.ts'
import { failPidTaken } from '../../tracee/stub-conflict.ts'
import type { TaskAspect } from '../contract.ts'
import type { DumpContext, DumpTask } from '../dump-model.ts'
import type { RestoreContext, RestoreTask } from '../restore-model.ts'
import { restoredTask, taskExtra } from '../task-extra.ts'
import { MSG_KIND, remove, removeIfFailed, SEM_KIND, SHM_KIND } from './desc.ts'
import { checkMsg, msgImage, restoreMsg } from './msg.ts'
import { checkSem, imageValues, restoreSem, semImage, valuesOf } from './sem.ts'
import { encodeOps, ladder, touch } from './sem-ladder.ts'
import { type AskedSem, askAdjustments, sharerOf, tasksWithUndo } from './sem-undo.ts'
import { dumpShmContent, shmEntries } from './shm-dump.ts'
import { checkShm, letGoOfShm, restoreShm } from './shm-restore.ts'
import { refuseSharedSem, type TreeSem, treeObjects } from './tree-objects.ts'
import { outsider } from './users.ts'

/**
 * System V shared memory, semaphores and message queues: objects of an IPC namespace, which outlive the
 * tasks that use them. Which belong to a tree: tree-objects.ts. Their images have the id of the
 * namespace in their names, and upstream's entries; who used them last is in an image of our own.
 */
export const sysv: TaskAspect = {
  name: 'System V IPC',

  collect(task, dump) {
    if (task !== dump.tasks[0]) return
    const { shm } = treeObjects(dump)
    dumpShmContent(shm.values(), dump)
    findUndoLists(dump)
  },
  interview(task, runner, dump) {
    if (!undoLists.get(dump)?.has(task)) return
    const objects = treeObjects(dump)
    const others = new Map(objects.otherSems.map((set) => [set.sem.id, set]))
    const asked = [...objects.sem.values(), ...others.values()].flatMap(askedSems)
    const { found, denied } = askAdjustments(asked, runner)
    refuseDenied(
      task,
      [...denied].filter((id) => objects.sem.has(id)),
    )
    if (found.length === 0) return
    refuseShared(task, dump)
    for (const { semid, num, adj } of found) {
      taskExtra(task).semadj.push({ semid, num, adj })
      const set = others.get(semid)
      if (set) adoptSet(set, task, dump)
    }
  },
  finishDump(dump) {
    writeObjects(dump)
  },

  prepare(restore) {
    for (const id of namespacesOf(restore)) restoreObjects(id, restore)
  },
  connectProcess(task, table, restore) {
    letGoOfShm(restore)
    for (const { semid, num, adj } of restoredTask(task, restore)?.semadj ?? []) {
      const ops = ladder(num, imageValueOf(task, semid, num, restore), -adj)
      table.call('semop', semid, table.data(encodeOps(ops)), ops.length)
    }
  },
  placeThread(task, thread, table, restore) {
    if (thread !== task.threads[0]) return
    for (const { semid, num } of adjustedBy(task, restore)) {
      const ops = touch(num, imageValueOf(task, semid, num, restore))
      table.call('semop', semid, table.data(encodeOps(ops)), ops.length)
    }
    for (const { id, lpid } of imageOf(namespaceOf(task), restore).extra.shm) {
      if (lpid !== task.nsPid) continue
      table.call('shmdt', table.call('shmat', id, 0, SHM.RDONLY))
    }
  },
}

const undoLists = new WeakMap<DumpContext, ReadonlySet<DumpTask>>()

/** Before a helper is cloned, which gives every task a list. Without a set nobody has adjustments. */
function findUndoLists(dump: DumpContext): void {
  const { sem, otherSems } = treeObjects(dump)
  if (sem.size + otherSems.length > 0) undoLists.set(dump, tasksWithUndo(dump))
}

const askedSems = ({ sem }: TreeSem): AskedSem[] =>
  valuesOf(sem).map((value, num) => ({ semid: sem.id, num, value }))

/** Told too late for the list of obstacles: nothing is written yet, and all is undone. */
function refuseNow(obstacles: readonly Obstacle[]): void {
  if (obstacles.length > 0) fail({ code: 'obstacles', obstacles })
}

function refuseShared(task: DumpTask, dump: DumpContext): void {
  const other = sharerOf(task, undoLists.get(dump)!)
  if (!other) return
  const what = `semaphore adjustments shared with process ${other.pid} (CLONE_SYSVSEM)`
  refuseNow([{ pid: task.pid, comm: task.stat.comm, where: 'task', what }])
}

/** Of the tree's own sets: others are many, and mostly nothing to a task that may not use them. */
function refuseDenied({ pid, stat }: DumpTask, ids: readonly number[]): void {
  const remedy = 'let a process with the right to change it use it, or end this one'
  const obstacles = ids.map((id) => ({
    pid,
    comm: stat.comm,
    where: 'task',
    what: `System V semaphore set ${id}, which it may not change: the kernel does not tell what it has to undo in it`,
    remedy,
  }))
  refuseNow(obstacles)
}

/** A set that only its adjustments show to be in use by the tree. */
function adoptSet(set: TreeSem, task: DumpTask, dump: DumpContext): void {
  const { sem } = treeObjects(dump)
  if (sem.has(set.sem.id)) return
  sem.set(set.sem.id, set)
  const obstacles: Obstacle[] = []
  const refuse = (obstacle: Obstacle) => obstacles.push(obstacle)
  refuseSharedSem(set, task, { ...dump, refuse })
  refuseNow(obstacles)
}

function writeObjects(dump: DumpContext): void {
  const { shm, sem, msg } = treeObjects(dump)
  const id = dump.tasks[0]!.ids.ipc_ns_id!
  const { images } = dump
  if (shm.size > 0) images.write('ipcns-shm', shmEntries(shm.values(), dump), id)
  if (sem.size > 0) images.writeWithPayload('ipcns-sem', [...sem.values()].map(semImage), id)
  if (msg.size > 0) images.writeWithPayload('ipcns-msg', [...msg.values()].map(msgImage), id)
  if (shm.size + sem.size + msg.size === 0) return
  // Pids as the tasks' own namespace counts them; of others outside the tree as ours does.
  const pids = new Map(dump.tasks.map((task) => [task.pid as number, task.nsPid as number]))
  const inside = (pid: number): number => pids.get(pid) ?? pid
  const extra = {
    shm: [...shm.values()].map(({ shm: { id: shmid, cpid, lpid }, name }) => ({
      id: shmid,
      cpid: inside(cpid),
      lpid: inside(lpid),
      name,
    })),
    sem: [...sem.values()].map(({ sem: set, pids: last }) => ({
      id: set.id,
      pids: last.map(inside),
    })),
    msg: [...msg.values()].map(({ id: msqid, lspid, lrpid }) => ({
      id: msqid,
      lspid: inside(lspid),
      lrpid: inside(lrpid),
    })),
  }
  images.write('criu-ts-ipc', [extra], id)
}

/** All that is in the way is told before anything is made or removed. */
function restoreObjects(id: number, restore: RestoreContext): void {
  const { shm, sem, msg, extra } = imageOf(id, restore)
  const kinds = [
    [SHM_KIND, shm, checkShm(shm)],
    [SEM_KIND, sem, checkSem(sem)],
    [MSG_KIND, msg, checkMsg(msg)],
  ] as const
  for (const [kind, images, survivors] of kinds) {
    const old = new Set(survivors.map((one) => one.id))
    if (old.size > 0) checkTasksGone(restore)
    for (const survivor of old) remove(kind, survivor)
    for (const { entry } of images)
      if (!old.has(entry.desc.id)) removeIfFailed(kind, entry.desc.id, restore)
  }
  restoreShm(shm, extra.shm, restore)
  for (const one of sem) restoreSem(one, extra.sem.find(same(one)))
  for (const one of msg) restoreMsg(one, extra.msg.find(same(one)))
}

/** Objects that the dumped tasks still use are not taken from them. */
function checkTasksGone({ model }: RestoreContext): void {
  const pids = model.tasks.filter(({ state }) => state !== 'zombie').map((task) => task.nsPid)
  const pid = outsider(pids, new Set())
  if (pid !== undefined) failPidTaken(nsPid(pid))
}

const same =
  ({ entry }: { entry: { desc: { id: number } } }) =>
  ({ id }: { id: number }): boolean =>
    id === entry.desc.id

const namespaceOf = ({ ids }: RestoreTask): number => ids.ipc_ns_id ?? 0

/** IPC namespaces of living tasks. */
const namespacesOf = ({ model }: RestoreContext): Set<number> =>
  new Set(model.tasks.filter(({ state }) => state !== 'zombie').map(namespaceOf))

const readImages = new WeakMap<RestoreContext, Map<number, ReturnType<typeof readImage>>>()

/** The images of a namespace, read once. */
function imageOf(id: number, restore: RestoreContext): ReturnType<typeof readImage> {
  const read = readImages.get(restore) ?? new Map<number, ReturnType<typeof readImage>>()
  readImages.set(restore, read)
  const image = read.get(id) ?? readImage(id, restore)
  read.set(id, image)
  return image
}

const NOTHING: Messages['criuts_ipc'] = { shm: [], sem: [], msg: [] }

function readImage(id: number, { images }: RestoreContext) {
  return {
    shm: images.tryReadWithPayload('ipcns-shm', id) ?? [],
    sem: images.tryReadWithPayload('ipcns-sem', id) ?? [],
    msg: images.tryReadWithPayload('ipcns-msg', id) ?? [],
    extra: images.tryReadOne('criu-ts-ipc', id) ?? NOTHING,
  }
}

function imageValueOf(
  task: RestoreTask,
  semid: number,
  num: number,
  restore: RestoreContext,
): number {
  const set = imageOf(namespaceOf(task), restore).sem.find(({ entry }) => entry.desc.id === semid)
  const value = set && imageValues(set)[num]
  if (value !== undefined) return value
  const file = restore.images.pathOf('criu-ts-task', task.nsPid)
  return fail({ code: 'image', file, reason: `semaphore ${num} of set ${semid} is in no image` })
}

/**
 * Semaphores that a task was the last to change, and that another one's adjustments have been given
 * back to meanwhile, which the kernel takes for a change.
 */
function adjustedBy(task: RestoreTask, restore: RestoreContext) {
  const { extra } = imageOf(namespaceOf(task), restore)
  const adjusted = new Set(
    restore.model.tasks.flatMap((one) =>
      (restoredTask(one, restore)?.semadj ?? []).map(({ semid, num }) => `${semid} ${num}`),
    ),
  )
  return extra.sem.flatMap(({ id, pids }) =>
    pids.flatMap((pid, num) =>
      pid === task.nsPid && adjusted.has(`${id} ${num}`) ? [{ semid: id, num }] : [],
    ),
  )
}

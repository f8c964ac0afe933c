import { ipcWaitOf } from '../../arch/x86_64/ipc-calls.ts'
import { SEMCTL } from '../../kernel/constants/ipc.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import {
  readSysvMsg,
  readSysvSem,
  readSysvShm,
  type SysvMsg,
  type SysvSem,
  type SysvShm,
} from '../../kernel/proc/sysvipc.ts'
import { must } from '../../kernel/sys.ts'
import type { DumpContext, DumpTask } from '../dump-model.ts'
import { MSG_KIND, nameOf, SEM_KIND, SHM_KIND, type SysvKind } from './desc.ts'
import { outsider } from './users.ts'

/** A segment that the tree has attached, or made and not attached at present. */
export interface TreeShm {
  readonly shm: SysvShm
  /** A task that has it, and one of its mappings: `/proc/PID/map_files/…`. */
  readonly mapping: string | undefined
  /** The key that its mappings have in their name: it was made with that, and removed since. */
  readonly name: number
}

export interface TreeSem {
  readonly sem: SysvSem
  /** Of each semaphore: who changed it last. */
  readonly pids: readonly number[]
}

/** The System V objects of a tree, by id; others of the namespace are none of its business. */
export interface TreeObjects {
  readonly shm: ReadonlyMap<number, TreeShm>
  readonly sem: Map<number, TreeSem>
  readonly msg: ReadonlyMap<number, SysvMsg>
  /** Sets of others: a task may still have adjustments in one of them. */
  readonly otherSems: readonly TreeSem[]
}

const known = new WeakMap<DumpContext, TreeObjects>()

/**
 * Which objects belong to the tree. Memory: what its tasks have attached, or made and nobody has
 * attached. Sets and queues, which have no list of users: those that a task of the tree used last, waits
 * for or (told later) has adjustments in. What a living process outside uses as well is refused.
 */
export function treeObjects(dump: DumpContext): TreeObjects {
  const found = known.get(dump) ?? findObjects(dump)
  known.set(dump, found)
  return found
}

function findObjects(dump: DumpContext): TreeObjects {
  const byPid = new Map(dump.tasks.map((task) => [task.pid as number, task]))
  const waits = waitingTasks(dump)
  const sets = readSysvSem('/proc').map((sem) => ({ sem, pids: pidsOf(sem) }))
  const isOurs = ({ sem, pids }: TreeSem) =>
    waits.has(`sem ${sem.id}`) || pids.some((pid) => byPid.has(pid))
  const ourSets = sets.filter(isOurs)
  for (const set of ourSets)
    refuseSharedSem(set, taskOf(byPid, waits.get(`sem ${set.sem.id}`), set.pids), dump)
  const queues = readSysvMsg('/proc').filter(
    ({ id, lspid, lrpid }) => waits.has(`msg ${id}`) || byPid.has(lspid) || byPid.has(lrpid),
  )
  for (const queue of queues) {
    const pids = [queue.lspid, queue.lrpid]
    const task = taskOf(byPid, waits.get(`msg ${queue.id}`), pids)
    refuseOutsider(MSG_KIND, queue, task, pids, dump)
  }
  return {
    shm: findShm(dump, byPid),
    sem: new Map(ourSets.map((set) => [set.sem.id, set])),
    msg: new Map(queues.map((queue) => [queue.id, queue])),
    otherSems: sets.filter((set) => !isOurs(set)),
  }
}

/** Threads that were stopped in a call on an object. */
function waitingTasks({ tasks }: DumpContext): Map<string, DumpTask> {
  const waits = new Map<string, DumpTask>()
  for (const task of tasks)
    for (const { seized } of task.threads) {
      const wait = ipcWaitOf(seized.registers)
      if (wait) waits.set(`${wait.kind} ${wait.id}`, task)
    }
  return waits
}

function taskOf(
  tasks: ReadonlyMap<number, DumpTask>,
  waiting: DumpTask | undefined,
  pids: readonly number[],
): DumpTask {
  return waiting ?? tasks.get(pids.find((pid) => tasks.has(pid))!)!
}

const pidsOf = ({ id, nsems }: SysvSem): number[] =>
  Array.from({ length: nsems }, (_, i) => must('semctl', id, i, SEMCTL.GETPID))

/** The tree stands still: who waits for a semaphore now is somebody else. */
export function refuseSharedSem({ sem, pids }: TreeSem, task: DumpTask, dump: DumpContext): void {
  refuseOutsider(SEM_KIND, sem, task, pids, dump)
  for (let i = 0; i < sem.nsems; i++) {
    const waiting =
      must('semctl', sem.id, i, SEMCTL.GETNCNT) + must('semctl', sem.id, i, SEMCTL.GETZCNT)
    if (waiting === 0) continue
    refuse(task, nameOf(SEM_KIND, sem), `a process outside the tree waits for it`, dump)
    return
  }
}

function refuseOutsider(
  kind: SysvKind,
  object: { id: number; key: number },
  task: DumpTask,
  pids: readonly number[],
  dump: DumpContext,
): void {
  const pid = outsider(pids, new Set(dump.tasks.map((one) => one.pid as number)))
  if (pid !== undefined)
    refuse(task, nameOf(kind, object), `process ${pid} outside the tree uses it as well`, dump)
}

const REMEDY = 'dump that process with the tree, or run the tree in an IPC namespace of its own'

function refuse(task: DumpTask, what: string, why: string, dump: DumpContext): void {
  const comm = displayPath(task.stat.comm)
  dump.refuse({ pid: task.pid, comm, where: 'task', what: `${what}: ${why}`, remedy: REMEDY })
}

interface Attachment {
  readonly task: DumpTask
  readonly mapping: string
  readonly name: number
  count: number
}

const SYSV = /^\/SYSV([0-9a-f]{8})/

/** Mappings by segment: nattch counts each of them, once for each address space. */
function attachments({ tasks }: DumpContext): Map<number, Attachment> {
  const found = new Map<number, Attachment>()
  const spaces = new Set<number>()
  for (const task of tasks) {
    if (spaces.has(task.ids.vm_id)) continue
    spaces.add(task.ids.vm_id)
    for (const { path, start, end, inode } of task.maps) {
      const key = SYSV.exec(path)?.[1]
      if (key === undefined) continue
      const mapping = `${task.proc}/map_files/${start.toString(16)}-${end.toString(16)}`
      const name = Number.parseInt(key, 16)
      const known = found.get(Number(inode)) ?? { task, mapping, name, count: 0 }
      known.count++
      found.set(Number(inode), known)
    }
  }
  return found
}

function findShm(dump: DumpContext, byPid: ReadonlyMap<number, DumpTask>): Map<number, TreeShm> {
  const attached = attachments(dump)
  const found = new Map<number, TreeShm>()
  for (const shm of readSysvShm('/proc')) {
    const here = attached.get(shm.id)
    const maker = byPid.get(shm.cpid)
    const count = here?.count ?? 0
    if (!here && (!maker || shm.nattch > 0)) continue
    found.set(shm.id, { shm, mapping: here?.mapping, name: here?.name ?? shm.key >>> 0 })
    if (count < shm.nattch) {
      const why = `attached ${shm.nattch - count} times by processes outside the tree`
      refuse(here?.task ?? maker!, nameOf(SHM_KIND, shm), why, dump)
    }
  }
  return found
}

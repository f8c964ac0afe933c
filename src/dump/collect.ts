import type { Obstacle } from '../errors/error.ts'
import type { Messages } from '../images/gen/messages.ts'
import { KCMP } from '../kernel/constants/kcmp.ts'
import { SIG } from '../kernel/constants/signals.ts'
import { displayPath } from '../kernel/proc/bytes.ts'
import { parseSmaps, type SmapsMapping } from '../kernel/proc/maps.ts'
import { readProcFile, tryReadProcLink } from '../kernel/proc/read.ts'
import { readStat } from '../kernel/proc/stat.ts'
import { readStatus } from '../kernel/proc/status.ts'
import { sys } from '../kernel/sys.ts'
import type { DumpTask, DumpThread } from '../resources/dump-model.ts'
import type { SeizedTree } from '../tracee/seize.ts'
import type { SeizedProcess } from '../tracee/thread.ts'
import { taskIds } from './kcmp-ids.ts'

type Ids = Messages['task_kobj_ids_entry']
type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** A dead process of the tree, of which the exit code is left. */
export interface DumpZombie {
  readonly nsPid: number
  readonly ppid: number
  readonly pgid: number
  readonly sid: number
  readonly comm: string
  /** As wait(2) gives it. */
  readonly exitCode: number
  readonly flags: number
}

/** What /proc tells of all tasks, while they are stopped. */
export function collectTasks(tree: SeizedTree): DumpTask[] {
  const tasks = tree.processes.map(collectTask)
  giveIds(tasks)
  return tasks
}

/** A copy of a task's memory (tracee/snapshot.ts) that ended with the dump that had made it. */
export interface DeadCopy {
  readonly nsPid: number
  readonly ppid: number
}

/** Copies have no exit signal, and are killed. */
const isDeadCopy = ({ pid }: SeizedTree['zombies'][number]): boolean => {
  const { exitSignal, exitCode } = readStat(`/proc/${pid}`)
  return exitSignal === 0 && exitCode === SIG.KILL
}

/** What a dump that was killed left behind; their parents are made to wait for them. */
export const collectDeadCopies = ({ zombies }: SeizedTree): DeadCopy[] =>
  zombies
    .filter(isDeadCopy)
    .map(({ pid, nsPid }) => ({ nsPid, ppid: readStat(`/proc/${pid}`).ppid }))

export function collectZombies(tree: SeizedTree): DumpZombie[] {
  const zombies = tree.zombies.filter((zombie) => !isDeadCopy(zombie))
  return zombies.map(({ pid, nsPid }) => {
    const stat = readStat(`/proc/${pid}`)
    const status = readStatus(`/proc/${pid}`)
    return {
      nsPid,
      ppid: stat.ppid,
      pgid: status.innermost.pgid,
      sid: status.innermost.sid,
      comm: stat.comm,
      exitCode: stat.exitCode,
      flags: stat.flags,
    }
  })
}

function collectTask(seized: SeizedProcess): DumpTask {
  const proc = `/proc/${seized.pid}`
  const threads = seized.threads.map((thread): DumpThread => {
    const path = `${proc}/task/${thread.tid}`
    return {
      seized: thread,
      nsTid: thread.nsTid,
      proc: path,
      status: readStatus(path),
      core: {},
      machine: {},
    }
  })
  const stat = readStat(proc)
  return {
    pid: seized.pid,
    nsPid: seized.nsPid,
    proc,
    stat,
    status: threads[0]!.status, // the leader's file is the process's
    seized,
    threads,
    maps: readMappings(proc),
    core: {
      task_state: seized.stopSignal ? 3 : 1,
      exit_code: stat.exitCode,
      flags: stat.flags,
    },
    mm: {},
    ids: { vm_id: 0, files_id: 0, fs_id: 0, sighand_id: 0 },
    places: undefined,
    infection: undefined,
  }
}

/** smaps, for its VmFlags: nothing else tells of madvise and mlock. */
function readMappings(proc: string): SmapsMapping[] {
  return parseSmaps(readProcFile(`${proc}/smaps`))
}

/** Ids as upstream numbers them: 1 is the dumping process's own, tasks count from 2. */
function giveIds(tasks: readonly DumpTask[]): void {
  const kinds = [
    ['vm_id', taskIds(KCMP.VM)],
    ['files_id', taskIds(KCMP.FILES)],
    ['fs_id', taskIds(KCMP.FS)],
    ['sighand_id', taskIds(KCMP.SIGHAND)],
  ] as const
  for (const [field, known] of kinds) {
    let next = 2
    for (const task of tasks) {
      const ids = task.ids as Writable<Ids>
      ids[field] = known.idOf(task.pid, () => next++).id
    }
  }
  for (const task of tasks) Object.assign(task.ids, NAMESPACE_IDS)
}

/** Namespaces of the dumping process itself; a task in another one is refused so far. */
export const NAMESPACE_IDS = {
  pid_ns_id: 1,
  net_ns_id: 2,
  ipc_ns_id: 3,
  uts_ns_id: 4,
  time_ns_id: 5,
  mnt_ns_id: 6,
  user_ns_id: 7,
  cgroup_ns_id: 8,
} as const

const NAMESPACES = ['pid', 'net', 'ipc', 'uts', 'time', 'mnt', 'user', 'cgroup']
const FOR_CHILDREN = ['pid_for_children', 'time_for_children']

/** Tasks in namespaces other than ours cannot be restored yet. */
export function namespaceObstacles(tasks: readonly DumpTask[]): Obstacle[] {
  const ours = new Map(NAMESPACES.map((name) => [name, tryReadProcLink(`/proc/self/ns/${name}`)]))
  return tasks.flatMap((task) =>
    [...NAMESPACES, ...FOR_CHILDREN].flatMap((name) => {
      const link = tryReadProcLink(`${task.proc}/ns/${name}`)
      if (link === undefined || link === ours.get(name.replace('_for_children', ''))) return []
      return [
        obstacle(task, 'task', `${name} namespace of its own (${displayPath(link)})`, {
          remedy: 'trees with namespaces cannot be dumped yet',
        }),
      ]
    }),
  )
}

/** An obstacle in that task. */
export function obstacle(
  task: DumpTask,
  where: string,
  what: string,
  more: { remedy?: string; option?: string } = {},
): Obstacle {
  return { pid: task.pid, comm: displayPath(task.stat.comm), where, what, ...more }
}

/** What all threads of a process have in common, unless one has left it by unshare(2). */
const COMMON = [
  [KCMP.FILES, 'a descriptor table of its own'],
  [KCMP.FS, 'a current directory, root and umask of its own'],
] as const

/** Threads that do not share what the images have once for the whole process. */
export function unlikeThreadObstacles(tasks: readonly DumpTask[]): Obstacle[] {
  return tasks.flatMap((task) =>
    task.threads.slice(1).flatMap(({ seized: { tid } }) =>
      COMMON.filter(([type]) => sys('kcmp', task.pid, tid, type, 0, 0) !== 0).map(([, what]) =>
        obstacle(task, `thread ${tid}`, what, {
          remedy: 'images cannot hold this: let the thread end first',
        }),
      ),
    ),
  )
}

/** Processes that share their memory without being threads of one group (vfork, CLONE_VM). */
export function sharedMemoryObstacles(tasks: readonly DumpTask[]): Obstacle[] {
  const seen = new Map<number, DumpTask>()
  return tasks.flatMap((task) => {
    const other = seen.get(task.ids.vm_id)
    if (!other) {
      seen.set(task.ids.vm_id, task)
      return []
    }
    return [
      obstacle(task, 'task', `memory shared with process ${other.pid} (CLONE_VM or vfork)`, {
        remedy: 'dump it once the vfork child has called exec or ended',
      }),
    ]
  })
}

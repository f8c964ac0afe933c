import type { Obstacle } from '../errors/error.ts'
import type { ImageDirectory } from '../images/directory.ts'
import type { Messages } from '../images/gen/messages.ts'
import type { JobContext } from '../job/context.ts'
import type { DumpOptions } from '../job/options.ts'
import type { FdInfo } from '../kernel/proc/fdinfo.ts'
import type { ProcLink } from '../kernel/proc/links.ts'
import type { SmapsMapping } from '../kernel/proc/maps.ts'
import type { ProcStat } from '../kernel/proc/stat.ts'
import type { ProcStatus } from '../kernel/proc/status.ts'
import type { FileStat } from '../kernel/stat.ts'
import type { FileId, HostPid, LocalFd, NsPid, TraceeFd } from '../kernel/types.ts'
import type { TreeLock } from '../network-lock/lock.ts'
import type { Infection } from '../tracee/infection.ts'
import type { SeizedProcess, SeizedThread } from '../tracee/thread.ts'

/** A thread of the tree, and the parts of its core image as they fill up. */
export interface DumpThread {
  readonly seized: SeizedThread
  readonly nsTid: NsPid
  /** `/proc/PID/task/TID`. */
  readonly proc: string
  readonly status: ProcStatus
  /** What the images hold of it; each aspect fills in its fields. */
  readonly core: Partial<Messages['thread_core_entry']>
  /** Machine state: general registers, extended state, clear_child_tid. */
  machine: Partial<Messages['thread_info_x86']>
}

/** A live process of the tree. */
export interface DumpTask {
  readonly pid: HostPid
  readonly nsPid: NsPid
  /** `/proc/PID`. */
  readonly proc: string
  readonly stat: ProcStat
  readonly status: ProcStatus
  readonly seized: SeizedProcess
  /** Leader first. */
  readonly threads: readonly DumpThread[]
  readonly maps: readonly SmapsMapping[]
  /** The process-wide part of the leader's core image. */
  readonly core: Partial<Messages['task_core_entry']>
  readonly mm: Partial<Messages['mm_entry']>
  /** Which kernel objects it shares with others: equal ids, equal objects. */
  readonly ids: Messages['task_kobj_ids_entry']
  /** Ids of its current and root directory. */
  places: { readonly cwd: FileId; readonly root: FileId } | undefined
  /** Set from the infect stage on. */
  infection: Infection | undefined
}

/** What a stage of a dump and every kind is handed. */
export interface DumpContext extends JobContext {
  readonly options: DumpOptions
  readonly images: ImageDirectory
  /** Live processes, parents before children. */
  readonly tasks: readonly DumpTask[]
  readonly files: FileRegistry
  /** Keeps the packets of connections from the host while their sockets are not there. */
  readonly network: TreeLock
  /** Notes what cannot be dumped; all obstacles are told at once, before anything is touched. */
  refuse(obstacle: Obstacle): void
  /**
   * Runs at the very end, also of a dump that failed: undoes what a kind made outside of the images
   * and what must not stay (a name given to an unlinked file).
   */
  atEnd(action: (succeeded: boolean) => void): void
  /** Runs once every task is gone or let go, also of a dump that failed. */
  afterRelease(action: () => void): void
  /** Runs if the job fails, also after the tasks have gone on: removes images that a kind made. */
  atFailure(action: () => void): void
}

/** One open file of a task, as seen from outside. */
export interface FdProbe {
  readonly task: DumpTask
  /** Its number in the task; undefined for what is no descriptor: a mapped file, cwd, root, exe. */
  readonly fd: TraceeFd | undefined
  /** `/proc/PID/fd/N`, or `/proc/PID/cwd`, `/proc/PID/map_files/…`. */
  readonly path: string
  /**
   * Our own copy of the descriptor: the same open file description (pidfd_getfd), or for what is no
   * descriptor an O_PATH one of the same file. Closed by the drain stage.
   */
  readonly local: LocalFd
  readonly stat: FileStat
  readonly link: ProcLink
  /** Without O_CLOEXEC, which belongs to the descriptor. */
  readonly flags: number
  readonly info: FdInfo
  /**
   * Set for a description that waits in a queue (SCM_RIGHTS): the descriptor of the socket in whose
   * queue it was found. `fd` and `path` are then those of our own copy.
   */
  readonly inFlight?: TraceeFd
}

/** Gives ids to open file descriptions, and collects their entries for files.img. */
export interface FileRegistry {
  /**
   * Id of a file that is no descriptor of a task (cwd, root, exe, a mapping): recognised by the file
   * kinds and written as an entry of its own. `path` as in FdProbe; `flags` are those to open it with.
   */
  idOfPath(task: DumpTask, path: string, flags: number): FileId
  /**
   * Id of a description that we hold and that perhaps no task has open: one that was found in the queue
   * of a socket. The descriptor is ours no more. Only within `collectInFlight`. Undefined: refused.
   */
  idOfHeld(socket: FdProbe, fd: LocalFd): FileId | undefined
  /** A fresh id, for an entry that a kind adds itself. */
  nextId(): FileId
  /** Adds an entry that belongs to another one (the regular file behind a fifo), with such an id. */
  add(entry: Messages['file_entry']): void
  /** Every descriptor of every table, also of files that were refused; complete at `finishDump`. */
  readonly descriptors: readonly FoundDescriptor[]
}

/** A descriptor of a task (the first of those that share its table), and what it leads to. */
export interface FoundDescriptor {
  readonly probe: FdProbe
  readonly id: FileId
}

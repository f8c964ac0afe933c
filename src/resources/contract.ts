import type { Messages } from '../images/gen/messages.ts'
import type { RestoreOptions } from '../job/options.ts'
import type { Table } from '../kernel/table.ts'
import type { FileId, LocalFd } from '../kernel/types.ts'
import type { Runner } from '../tracee/run.ts'
import type { DumpContext, DumpTask, DumpThread, FdProbe } from './dump-model.ts'
import type { RestoreContext, RestoreTask, RestoreThread } from './restore-model.ts'

type FileEntry = Messages['file_entry']

/**
 * A kind of open file: its dump and its restore side by side. Kinds never import kinds; they name
 * other objects by id. Registered by one line in registry.ts.
 */
export interface FdKind {
  /** Kernel's term: `pipe`, `regular file`. */
  readonly tag: string
  /** The value of `file_entry.type` (fd_types) that is this kind's. */
  readonly type: number
  /** Is this descriptor mine. Kinds are asked in the registry's order; the first that says yes has it. */
  recognise(probe: FdProbe): boolean
  /**
   * The entry of files.img without `type` and `id`. Called once for each open file description, by its
   * id, before any task is touched. Where it cannot be restored faithfully: `dump.refuse` and undefined.
   */
  dump(probe: FdProbe, id: FileId, dump: DumpContext): Omit<FileEntry, 'type' | 'id'> | undefined
  /**
   * Once all descriptors of all tasks are known, and before any `finishDump`: descriptions that only
   * this kind's files lead to, by `dump.files.idOfHeld`.
   */
  collectInFlight?(dump: DumpContext): void
  /** Once all descriptors of all tasks are known: images of its own (pipes-data), more refusals. */
  finishDump?(dump: DumpContext): void
  /**
   * At the write stage, when nothing stands in the way of the dump and all memory is written: images of
   * its own that cannot be read without changing an object for a moment.
   */
  drain?(dump: DumpContext): void

  /**
   * Why an entry cannot be restored as these options have it: told before anything is made. `what` names
   * the object.
   */
  obstacle?(
    entry: FileEntry,
    options: RestoreOptions,
  ): { readonly what: string; readonly remedy?: string } | undefined
  /** Files that must be open before this one. */
  needs?(entry: FileEntry, restore: RestoreContext): FileId[]
  /**
   * True for what can only be opened once the tasks exist (/proc/PID/…): such a descriptor is passed
   * to them later.
   */
  late?(entry: FileEntry, restore: RestoreContext): boolean
  /** How `--inherit-fd` names it; undefined: no descriptor of ours can take its place. */
  inheritedAs?(entry: FileEntry, restore: RestoreContext): Inheritable | undefined
  /**
   * In place of `open` where a descriptor was given for it: a new descriptor, of the given description
   * unless it serves no more than as a way to the object. By default a duplicate.
   */
  inherit?(entry: FileEntry, given: LocalFd, restore: RestoreContext): LocalFd
  /** Opens it in our own process: position, flags, owner and content as in the image. */
  open(entry: FileEntry, restore: RestoreContext): LocalFd
  /** Once every object of every task exists; kinds have their turn in the registry's order. */
  connect?(entry: FileEntry, fd: LocalFd, restore: RestoreContext): void
  /**
   * After all of `connect`: calls that a task itself must make with it, where it has it as `fd`. Asked
   * once for each descriptor table, of the first task that has it.
   */
  connectIn?(
    task: RestoreTask,
    entry: FileEntry,
    fd: number,
    table: Table,
    restore: RestoreContext,
  ): void
}

/** An object in whose place a descriptor of ours may come (`--inherit-fd fd[N]:NAME`). */
export interface Inheritable {
  /** `pipe:[123]`, `tmp/log`. */
  readonly name: string
  /** Set where nothing else can take its place: what it is, for the refusal. */
  readonly needed?: string
}

/** What a table's answers are read by, once it has run. */
export type ReadAnswers = () => void

/**
 * One aspect of a task's state (its timers, its credentials …): dump and restore side by side. On dump
 * each hook fills its fields of `task.core`, `thread.core` or `task.mm`; on restore it adds the calls
 * that bring them back to a table that runs in the task itself.
 *
 * Prefer `collect` (no injection) to `askProcess`, and that to `askThread`.
 */
export interface TaskAspect {
  readonly name: string
  /** From /proc, ptrace and other calls of our own, the task being stopped; refuse here. */
  collect?(task: DumpTask, dump: DumpContext): void
  /** Process-wide questions, run by the helper thread. */
  askProcess?(task: DumpTask, table: Table, dump: DumpContext): ReadAnswers | undefined
  /** Questions that each thread must ask itself. */
  askThread?(
    task: DumpTask,
    thread: DumpThread,
    table: Table,
    dump: DumpContext,
  ): ReadAnswers | undefined
  /** Questions that hang on answers: tables of its own, run in the helper. */
  interview?(task: DumpTask, runner: Runner, dump: DumpContext): void
  /** Once all tasks have answered, at the write stage: images of its own. */
  finishDump?(dump: DumpContext): void

  /** In our own process, before a task exists: objects of the kernel that belong to no task. */
  prepare?(restore: RestoreContext): void
  /**
   * Process-wide, in the leader, its memory and descriptors in place, with all our privileges, before
   * its other threads exist.
   */
  placeProcess?(task: RestoreTask, table: Table, restore: RestoreContext): void
  /** As placeProcess, but once every object of every task exists: what needs others, armed timers. */
  connectProcess?(task: RestoreTask, table: Table, restore: RestoreContext): void
  /** In each thread (the leader too), once all threads exist, with all our privileges. */
  placeThread?(
    task: RestoreTask,
    thread: RestoreThread,
    table: Table,
    restore: RestoreContext,
  ): void
  /** In each thread, last: what takes privileges away. Aspects run in the registry's order. */
  finishThread?(
    task: RestoreTask,
    thread: RestoreThread,
    table: Table,
    restore: RestoreContext,
  ): void
  /** From outside, all threads stopped, before they are let go: ptrace, /proc writes. */
  finishOutside?(task: RestoreTask, thread: RestoreThread, restore: RestoreContext): void
}

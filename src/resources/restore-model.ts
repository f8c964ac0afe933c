import type { ImageDirectory } from '../images/directory.ts'
import type { Messages } from '../images/gen/messages.ts'
import type { JobContext } from '../job/context.ts'
import type { RestoreOptions } from '../job/options.ts'
import type { FileId, HostPid, LocalFd, NsPid } from '../kernel/types.ts'

/** A thread as the images have it. */
export interface RestoreThread {
  readonly nsTid: NsPid
  readonly core: Messages['core_entry']
  /** In our own pid namespace; set once it exists. */
  tid: HostPid | undefined
}

/** A process as the images have it: everything of its own, checked and with ids resolved. */
export interface RestoreTask {
  readonly nsPid: NsPid
  readonly ppid: NsPid
  readonly pgid: NsPid
  readonly sid: NsPid
  readonly state: 'alive' | 'zombie' | 'stopped'
  /** Leader first; a zombie has its leader only. */
  readonly threads: readonly RestoreThread[]
  readonly core: Messages['core_entry']
  readonly ids: Messages['task_kobj_ids_entry']
  /** Undefined for a zombie. */
  readonly mm: Messages['mm_entry'] | undefined
  readonly fs: Messages['fs_entry'] | undefined
  readonly fds: readonly Messages['fdinfo_entry'][]
  /** In our own pid namespace; set once it exists. */
  pid: HostPid | undefined
}

/** All images of a directory, read and checked. */
export interface RestoreModel {
  readonly inventory: Messages['inventory_entry']
  /** Parents before children. */
  readonly tasks: readonly RestoreTask[]
  readonly files: ReadonlyMap<FileId, Messages['file_entry']>
  /** Of tty-info. */
  readonly terminals: readonly Messages['tty_info_entry'][]
}

/** What a stage of a restore and every kind is handed. */
export interface RestoreContext extends JobContext {
  readonly options: RestoreOptions
  readonly images: ImageDirectory
  readonly model: RestoreModel
  readonly files: FileOpener
  /** Runs at the end of the restore, also of a failed one: what a kind made for a moment goes here. */
  atEnd(action: (succeeded: boolean) => void): void
}

/**
 * Opens files of the images in our own process. Tasks inherit the descriptors at their creation and
 * put them in place by dup3, so that one description is shared by all who had it.
 */
export interface FileOpener {
  /** The descriptor of an open file description; opened once. */
  description(id: FileId): LocalFd
  /** Another description of the same regular file, opened with other flags: for mappings, exe. */
  reopen(id: FileId, flags: number): LocalFd
}

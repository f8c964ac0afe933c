/**
 * A plugin: a module of the directory that `--libdir` names, whose default export is one of these. It
 * keeps objects that criu itself cannot save. The hooks are those of upstream's plugins, in the same
 * places; each is optional, and synchronous: tasks stand still while most of them run.
 *
 * What a `dump…` hook returns is its *state*, any JSON value, which the images keep for the hook that
 * restores. `undefined` means «not mine», and the next plugin is asked. A hook that throws ends the job
 * as any failure does: a dump leaves the tree as it was, a restore leaves no process.
 */
export interface Plugin {
  /** Unique; letters, digits and dashes. The images name it. */
  readonly name: string

  /** Before anything else of the job. */
  begin?(job: PluginJob): void
  /** Last of all, also of a job that failed. What it throws is told of, and changes nothing. */
  end?(job: PluginJob, succeeded: boolean): void

  /** DUMP_EXT_FILE: an open file that criu would refuse. */
  dumpExtFile?(file: PluginFile, job: PluginJob): State | undefined
  /**
   * RESTORE_EXT_FILE: opens it again, in criu's own process; the number of a new descriptor, which criu
   * takes over. Flags (O_NONBLOCK …) and the owner of signals are set by criu.
   */
  restoreExtFile?(state: State, job: PluginJob): number

  /** DUMP_UNIX_SK: a unix socket whose peer is outside of the tree, and that criu would refuse. */
  dumpUnixSk?(socket: PluginSocket, job: PluginJob): State | undefined
  /** RESTORE_UNIX_SK: a new socket in its place; the number of a descriptor, which criu takes over. */
  restoreUnixSk?(state: State, job: PluginJob): number

  /** HANDLE_DEVICE_VMA: a mapping of a device's memory. Its content is the plugin's affair. */
  handleDeviceVma?(mapping: PluginMapping, job: PluginJob): State | undefined
  /** UPDATE_VMA_MAP: what is to be mapped in its place. criu takes the descriptor over. */
  updateVmaMap?(state: State, mapping: PluginMapping, job: PluginJob): PluginSource

  /** PAUSE_DEVICES: each process of the tree, before the first is stopped. */
  pauseDevices?(pid: number, job: PluginJob): void
  /** CHECKPOINT_DEVICES: each process of the tree, all standing still. */
  checkpointDevices?(pid: number, job: PluginJob): void
  /**
   * RESUME_DEVICES_LATE: each restored process, just before it goes on; after a dump that leaves it
   * running or has failed, each that was paused.
   */
  resumeDevicesLate?(pid: number, job: PluginJob): void

  /** Not supported yet, since mount and network namespaces are not: a plugin with one is refused. */
  dumpExtMount?(mountpoint: string, job: PluginJob): State | undefined
  restoreExtMount?(state: State, mountpoint: string, job: PluginJob): void
  dumpExtLink?(link: PluginLink, job: PluginJob): State | undefined
}

/** What a plugin has the images keep: what JSON can tell. */
export type State =
  | null
  | boolean
  | number
  | string
  | readonly State[]
  | { readonly [name: string]: State }

/** The job that a plugin takes part in. */
export interface PluginJob {
  readonly command: 'dump' | 'restore'
  /** Absolute. Files of a plugin's own may be kept here, by names that begin with its name. */
  readonly imagesDir: string
  /** Writes to the log, at the level of information. */
  info(text: string): void
  warn(text: string): void
}

/** Major and minor number of a device file. */
export interface PluginDevice {
  readonly major: number
  readonly minor: number
}

/** An open file of the tree. */
export interface PluginFile {
  /**
   * criu's own descriptor of the very same open file, for the time of the call: what changes it changes
   * it for the program. Without `descriptor` it can only be looked at (O_PATH).
   */
  readonly fd: number
  readonly pid: number
  /** Its number in the process; undefined for what was mapped and closed. */
  readonly descriptor: number | undefined
  /** What /proc/PID/fd shows: `/dev/rtc0`, `anon_inode:[perf_event]`. */
  readonly path: string
  /** Undefined for what is no device. */
  readonly device: PluginDevice | undefined
  /** Of open(2), without O_CLOEXEC. */
  readonly flags: number
  readonly position: bigint
  /** What the kind of file adds to /proc/PID/fdinfo/N, by the words before the colon. */
  readonly info: Readonly<Record<string, string>>
}

/** A unix socket of the tree. */
export interface PluginSocket {
  /** criu's own descriptor of the very same socket, for the time of the call. */
  readonly fd: number
  readonly pid: number
  /** Its number in the process. */
  readonly descriptor: number | undefined
  readonly inode: number
  readonly peerInode: number
  /** The name of the peer, as the kernel prints it; empty if it has none. */
  readonly peerName: string
  readonly type: 'stream' | 'datagram' | 'packets'
}

/** A mapping of the tree. */
export interface PluginMapping {
  readonly pid: number
  readonly start: bigint
  readonly end: bigint
  /** In bytes. */
  readonly offset: bigint
  /** What /proc/PID/maps shows. */
  readonly path: string
}

/** What is mapped in place of a mapping. */
export interface PluginSource {
  readonly fd: number
  /** In bytes; as it was by default. */
  readonly offset?: bigint
}

/** A network device of the tree. */
export interface PluginLink {
  readonly index: number
  readonly type: number
  readonly kind: string
}

/** Hooks that ask for a state, and the ones that get it. */
export type DumpHook = 'dumpExtFile' | 'dumpUnixSk' | 'handleDeviceVma'
export type RestoreHook = 'restoreExtFile' | 'restoreUnixSk' | 'updateVmaMap'
export type DeviceHook = 'pauseDevices' | 'checkpointDevices' | 'resumeDevicesLate'

// Made by scripts/gen-api.ts from src/options/table.ts. Do not edit.

import type { Control } from './control.ts'

/** Options of {@link dump}: those of `criu dump`. */
export interface DumpOptions extends Control {
  /** Root process of the tree to dump (`-t` of the command line). */
  readonly tree: number
  /** Directory of the images (`-D` of the command line). */
  readonly imagesDir?: string
  /** Directory of log, statistics and pid file (default: as -D) (`-W` of the command line). */
  readonly workDir?: string
  /** Write the log to FILE instead of standard error (`-o` of the command line). */
  readonly logFile?: string
  /** Log level 0 to 4; each plain -v adds 1 to the default (`-v` of the command line). */
  readonly verbosity?: number
  /** Program to run at each hook. */
  readonly actionScript?: readonly string[]
  /** Let the tasks go on after the dump (`-R` of the command line). */
  readonly leaveRunning?: boolean
  /** Leave the tasks stopped (`-s` of the command line). */
  readonly leaveStopped?: boolean
  /** The tree shares a terminal and session with its caller (`-j` of the command line). */
  readonly shellJob?: boolean
  /** Keep unlinked files that have another name by linking back. */
  readonly linkRemap?: boolean
  /** Largest unlinked file to carry; K, M or G (default: 1M). */
  readonly ghostLimit?: number | string
  /** Take any path to a device whose own cannot be used. */
  readonly evasiveDevices?: boolean
  /** Freezer cgroup that holds the tree. */
  readonly freezeCgroup?: string
  /** Seconds to stop the tree, or for the call of exec. */
  readonly timeout?: number
  /** CPU features to save or require: all cpu fpu ins none. */
  readonly cpuCap?: boolean | string
  /** Directory of plugins, JavaScript or TypeScript (`-L` of the command line). */
  readonly libdir?: string
  /** Take unix sockets whose peer is outside; of INODES (`-x` of the command line). */
  readonly extUnixSk?: boolean | string
  /** Take established TCP connections. */
  readonly tcpEstablished?: boolean
  /** Find the paths of inotify marks by scanning. */
  readonly forceIrmap?: boolean
  /** Where to scan for inotify marks. */
  readonly irmapScanPath?: readonly string[]
  /** Take file locks (`-l` of the command line). */
  readonly fileLocks?: boolean
  /** An object that lives outside of the tree, as TYPE[ID]:NAME. */
  readonly external?: readonly string[]
  /** Read this configuration file. */
  readonly config?: string
  /** Leave the default configuration files out. */
  readonly noDefaultConfig?: boolean
  /** Allow what is deprecated; all of it is allowed anyway. */
  readonly deprecated?: boolean
  /** How to lock connections: nftables, iptables or skip. */
  readonly networkLock?: string
  /** Restore connections as closed. */
  readonly tcpClose?: boolean
  /** Leave out connections not yet accepted. */
  readonly skipInFlight?: boolean
  /** How mapped programs and libraries are known again. */
  readonly fileValidation?: string
  /** Find holes of unlinked files by FIEMAP. */
  readonly ghostFiemap?: boolean
}

/** Options of {@link restore}: those of `criu restore`. */
export interface RestoreOptions extends Control {
  /** Directory of the images (`-D` of the command line). */
  readonly imagesDir?: string
  /** Directory of log, statistics and pid file (default: as -D) (`-W` of the command line). */
  readonly workDir?: string
  /** Write the log to FILE instead of standard error (`-o` of the command line). */
  readonly logFile?: string
  /** Log level 0 to 4; each plain -v adds 1 to the default (`-v` of the command line). */
  readonly verbosity?: number
  /** One log for each restored task, FILE.PID. */
  readonly logPid?: boolean
  /** Write the root pid to a new FILE. */
  readonly pidfile?: string
  /** Program to run at each hook. */
  readonly actionScript?: readonly string[]
  /** Leave the tasks stopped (`-s` of the command line). */
  readonly leaveStopped?: boolean
  /** The tree shares a terminal and session with its caller (`-j` of the command line). */
  readonly shellJob?: boolean
  /** Take any path to a device whose own cannot be used. */
  readonly evasiveDevices?: boolean
  /** CPU features to save or require: all cpu fpu ins none. */
  readonly cpuCap?: boolean | string
  /** Make the root a sibling of criu; with -d (`-S` of the command line). */
  readonly restoreSibling?: boolean
  /** New root of a restored mount namespace (`-r` of the command line). */
  readonly root?: string
  /** Directory of plugins, JavaScript or TypeScript (`-L` of the command line). */
  readonly libdir?: string
  /** Take unix sockets whose peer is outside; of INODES (`-x` of the command line). */
  readonly extUnixSk?: boolean | string
  /** Take established TCP connections. */
  readonly tcpEstablished?: boolean
  /** Take file locks (`-l` of the command line). */
  readonly fileLocks?: boolean
  /** An object that lives outside of the tree, as TYPE[ID]:NAME. */
  readonly external?: readonly string[]
  /** Fd[N]:RESOURCE: our descriptor N takes its place. */
  readonly inheritFd?: readonly string[]
  /** Read this configuration file. */
  readonly config?: string
  /** Leave the default configuration files out. */
  readonly noDefaultConfig?: boolean
  /** Allow what is deprecated; all of it is allowed anyway. */
  readonly deprecated?: boolean
  /** How to lock connections: nftables, iptables or skip. */
  readonly networkLock?: string
  /** Restore connections as closed. */
  readonly tcpClose?: boolean
  /** How mapped programs and libraries are known again. */
  readonly fileValidation?: string
  /** Do not compare permissions of files. */
  readonly skipFileRwxCheck?: boolean
}

/** Options of {@link check}: those of `criu check`. */
export interface CheckOptions extends Control {
  /** Directory of the images (`-D` of the command line). */
  readonly imagesDir?: string
  /** Directory of log, statistics and pid file (default: as -D) (`-W` of the command line). */
  readonly workDir?: string
  /** Write the log to FILE instead of standard error (`-o` of the command line). */
  readonly logFile?: string
  /** Log level 0 to 4; each plain -v adds 1 to the default (`-v` of the command line). */
  readonly verbosity?: number
  /** Check what only some trees need as well. */
  readonly extra?: boolean
  /** Check experimental features as well. */
  readonly experimental?: boolean
  /** Check everything. */
  readonly all?: boolean
  /** Check this alone; list shows the names. */
  readonly feature?: readonly string[]
  /** Read this configuration file. */
  readonly config?: string
  /** Leave the default configuration files out. */
  readonly noDefaultConfig?: boolean
  /** Allow what is deprecated; all of it is allowed anyway. */
  readonly deprecated?: boolean
}

/** Options of {@link explain}: those of the dump that it is about. */
export interface ExplainOptions extends Control {
  /** Root process of the tree to dump (`-t` of the command line). */
  readonly tree: number
  /** Directory of the images (`-D` of the command line). */
  readonly imagesDir?: string
  /** Directory of log, statistics and pid file (default: as -D) (`-W` of the command line). */
  readonly workDir?: string
  /** Write the log to FILE instead of standard error (`-o` of the command line). */
  readonly logFile?: string
  /** Log level 0 to 4; each plain -v adds 1 to the default (`-v` of the command line). */
  readonly verbosity?: number
  /** Let the tasks go on after the dump (`-R` of the command line). */
  readonly leaveRunning?: boolean
  /** Leave the tasks stopped (`-s` of the command line). */
  readonly leaveStopped?: boolean
  /** The tree shares a terminal and session with its caller (`-j` of the command line). */
  readonly shellJob?: boolean
  /** Keep unlinked files that have another name by linking back. */
  readonly linkRemap?: boolean
  /** Largest unlinked file to carry; K, M or G (default: 1M). */
  readonly ghostLimit?: number | string
  /** Take any path to a device whose own cannot be used. */
  readonly evasiveDevices?: boolean
  /** Freezer cgroup that holds the tree. */
  readonly freezeCgroup?: string
  /** Seconds to stop the tree, or for the call of exec. */
  readonly timeout?: number
  /** CPU features to save or require: all cpu fpu ins none. */
  readonly cpuCap?: boolean | string
  /** Directory of plugins, JavaScript or TypeScript (`-L` of the command line). */
  readonly libdir?: string
  /** Take unix sockets whose peer is outside; of INODES (`-x` of the command line). */
  readonly extUnixSk?: boolean | string
  /** Take established TCP connections. */
  readonly tcpEstablished?: boolean
  /** Find the paths of inotify marks by scanning. */
  readonly forceIrmap?: boolean
  /** Where to scan for inotify marks. */
  readonly irmapScanPath?: readonly string[]
  /** Take file locks (`-l` of the command line). */
  readonly fileLocks?: boolean
  /** An object that lives outside of the tree, as TYPE[ID]:NAME. */
  readonly external?: readonly string[]
  /** Read this configuration file. */
  readonly config?: string
  /** Leave the default configuration files out. */
  readonly noDefaultConfig?: boolean
  /** Allow what is deprecated; all of it is allowed anyway. */
  readonly deprecated?: boolean
  /** How to lock connections: nftables, iptables or skip. */
  readonly networkLock?: string
  /** Restore connections as closed. */
  readonly tcpClose?: boolean
  /** Leave out connections not yet accepted. */
  readonly skipInFlight?: boolean
  /** How mapped programs and libraries are known again. */
  readonly fileValidation?: string
  /** Find holes of unlinked files by FIEMAP. */
  readonly ghostFiemap?: boolean
}

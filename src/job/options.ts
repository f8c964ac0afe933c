/**
 * What a command is asked to do, as the engine sees it: every value is checked, every path absolute,
 * every default filled in. Only `options/normalise.ts` makes these values, whichever way the
 * request came (command line, configuration file, RPC, library), and it freezes them.
 */
export interface CommonOptions {
  /** Directory of the images; absolute, exists. */
  readonly imagesDir: string
  /** Directory of log, statistics and pid file; absolute, exists. The image directory by default. */
  readonly workDir: string
  /** 0 nothing, 1 errors, 2 warnings, 3 information and time stamps, 4 everything. */
  readonly verbosity: Verbosity
  /** Absolute path of the log, `-` for standard output, undefined for standard error. */
  readonly logFile: string | undefined
  /** Options that were given and that this command takes without effect, as upstream does. */
  readonly idle: readonly string[]
}

/** What dump and restore have in common. */
export interface JobOptions extends CommonOptions {
  /** Programs to run at each hook, in this order; see scripts/runner.ts. */
  readonly actionScripts: readonly ActionScript[]
  /** The tree shares a terminal and a session with its caller. */
  readonly shellJob: boolean
  /** Any path to a device file will do when the original one is inaccessible. */
  readonly evasiveDevices: boolean
  readonly cpuCap: CpuCap
  /** Connections of TCP are saved and brought back; else they are refused. */
  readonly tcpEstablished: boolean
  /** Connections of TCP are not kept: their sockets come back closed. */
  readonly tcpClose: boolean
  /** How packets of saved connections are kept from the host; undefined: what the kernel can do. */
  readonly networkLock: NetworkLock | undefined
  /** Unix sockets with a peer outside of the tree. */
  readonly extUnixSk: ExternalUnixSockets
  /** File locks are saved and brought back; else they are refused. */
  readonly fileLocks: boolean
  /** Objects that live outside of the tree. */
  readonly external: readonly External[]
  /** How a program or library that is mapped is known again; all else, by its size. */
  readonly fileValidation: FileValidation
  /** Absolute path of the directory of plugins; undefined: none are loaded. */
  readonly libdir: string | undefined
  /** Print the statistics to standard output at the end. */
  readonly displayStats: boolean
}

export type Verbosity = 0 | 1 | 2 | 3 | 4

/** An existing file (run as it is) or a command line for /bin/sh. */
export type ActionScript = { readonly file: string } | { readonly shell: string }

/** Which features of the CPU an image must tell (dump) or the machine must have (restore). */
export interface CpuCap {
  /** The extended state (XSAVE components) of each thread fits this CPU. */
  readonly fpu: boolean
  /** Every feature is the same, where an image tells of them. */
  readonly cpu: boolean
  /** Every instruction set extension of the image is here, where an image tells of them. */
  readonly ins: boolean
  /** `cpuinfo.img` is written (dump), or must be there and is compared (restore). */
  readonly image: boolean
}

export type NetworkLock = 'nftables' | 'iptables' | 'skip'

export type FileValidation = 'filesize' | 'buildid'

export interface ExternalUnixSockets {
  /** Those of `inodes` may be dumped; with none named, all. */
  readonly allowed: boolean
  readonly inodes: readonly bigint[]
}

/** One `--external`, by what it names. The numbers are as the kernel shows them. */
export type External =
  /** `dev[MAJOR/MINOR]:NAME` at dump, `dev[NAME]:PATH` at restore. */
  | { readonly kind: 'dev'; readonly id: string; readonly name: string }
  /** `file[MOUNT:INODE]`, both hexadecimal as upstream has them. */
  | { readonly kind: 'file'; readonly mount: number; readonly inode: bigint }
  /** `tty[RDEV:DEV]`, hexadecimal numbers of the kernel (fdinfo). */
  | { readonly kind: 'tty'; readonly rdev: number; readonly dev: number }
  /** `unix[INODE]`, decimal. */
  | { readonly kind: 'unix'; readonly inode: bigint }

/** `--inherit-fd fd[N]:RESOURCE`: descriptor N of ours takes the place of what RESOURCE names. */
export interface InheritedFd {
  readonly fd: number
  /** `pipe:[123]`, `socket:[123]`, `file[…]`, `tty[…]`, or the path of a file without the first `/`. */
  readonly resource: string
}

export interface DumpOptions extends JobOptions {
  readonly command: 'dump'
  /** Pid of the tree's root in our pid namespace, above 0. */
  readonly tree: number
  /** What becomes of the tasks once all is written. */
  readonly finalState: 'killed' | 'running' | 'stopped'
  /** Keep unlinked files that still have another name by linking them back. */
  readonly linkRemap: boolean
  /** Largest unlinked file that is carried in the images, in bytes. */
  readonly ghostLimit: number
  /** Holes of unlinked files are found by FIEMAP where the file system has it. */
  readonly ghostFiemap: boolean
  /** Seconds for collecting the tree; 0 is no limit. */
  readonly timeout: number
  /** Absolute path of the freezer cgroup that holds the tree; undefined: tasks are seized one by one. */
  readonly freezeCgroup: string | undefined
  /** Connections that nobody has accepted yet are left out. */
  readonly skipInFlight: boolean
  /** Marks of inotify and fanotify: their paths are found by scanning, always. */
  readonly forceIrmap: boolean
  /** Where to scan for them, besides the usual places; absolute. */
  readonly irmapScanPaths: readonly string[]
}

export interface RestoreOptions extends JobOptions {
  readonly command: 'restore'
  /** Leave once the tree runs. Otherwise wait for its root. */
  readonly detached: boolean
  /** Make the root a child of our own parent. */
  readonly sibling: boolean
  /** Leave every task stopped. */
  readonly leaveStopped: boolean
  /** Absolute path to write the root's pid to; did not exist. */
  readonly pidfile: string | undefined
  /** One log for each restored task, `<log>.<pid>`; never true without a log file. */
  readonly logPid: boolean
  /** Files may have other permissions than at the dump. */
  readonly skipFileRwxCheck: boolean
  /** Directory that becomes the root of a restored mount namespace. */
  readonly root: string | undefined
  /** Program and arguments to become once the tree runs; undefined: none. */
  readonly execCommand: readonly string[] | undefined
  readonly inheritFds: readonly InheritedFd[]
  /** Print the plan and touch nothing. */
  readonly dryRun: boolean
}

/** `criu check`. The features that are absolutely needed are checked unless some are named. */
export interface CheckOptions extends CommonOptions {
  readonly command: 'check'
  /** Those as well that only some trees need. */
  readonly extra: boolean
  readonly experimental: boolean
  /** These alone; `list` asks for their names. */
  readonly features: readonly string[]
}

/** `criu exec -t PID SYSCALL [ARGUMENT...]`. */
export interface ExecOptions extends CommonOptions {
  readonly command: 'exec'
  /** Pid of the process, or of one of its threads. */
  readonly tree: number
  /** Seconds after which the call is interrupted; 0 is no limit. */
  readonly timeout: number
  /** Name of the system call. */
  readonly call: string
  readonly arguments: readonly string[]
}

/** `criu cpuinfo dump|check`. */
export interface CpuinfoOptions extends CommonOptions {
  readonly command: 'cpuinfo'
  readonly action: 'dump' | 'check'
  readonly cpuCap: CpuCap
}

/** `criu service`. */
export interface ServiceOptions extends CommonOptions {
  readonly command: 'service'
  /** Absolute path of the socket. */
  readonly address: string
  /** Absolute path to write our own pid to; did not exist. */
  readonly pidfile: string | undefined
  /** Go on in the background. */
  readonly daemon: boolean
  /** Descriptor that gets a zero byte, and is closed, once clients are listened to. */
  readonly statusFd: number | undefined
}

/** `criu explain`: a dump that is not made. */
export interface ExplainOptions extends Omit<DumpOptions, 'command'> {
  readonly command: 'explain'
  readonly json: boolean
}

/** Views of a directory of images. */
export const showViews = ['tree', 'ps', 'fds', 'mems', 'rss', 'files', 'sockets', 'mounts'] as const
export type ShowView = (typeof showViews)[number]

/** What `criu show` is asked for; paths are absolute. */
export interface ShowOptions {
  readonly command: 'show'
  readonly request:
    | { readonly kind: 'view'; readonly directory: string; readonly view: ShowView }
    | { readonly kind: 'html'; readonly directory: string; readonly page: string }
    | { readonly kind: 'core'; readonly directory: string; readonly pid: number }
    | { readonly kind: 'decode' | 'encode'; readonly file: string }
  readonly json: boolean
  /** Undefined: standard output; of a core dump `core.PID` in the current directory. */
  readonly output: string | undefined
}

export interface DiffOptions {
  readonly command: 'diff'
  readonly before: string
  readonly after: string
  readonly json: boolean
  readonly output: string | undefined
}

/** The options of each command that works so far. */
export interface OptionsOf {
  readonly dump: DumpOptions
  readonly restore: RestoreOptions
  readonly check: CheckOptions
  readonly exec: ExecOptions
  readonly cpuinfo: CpuinfoOptions
  readonly service: ServiceOptions
  readonly explain: ExplainOptions
  readonly show: ShowOptions
  readonly diff: DiffOptions
}
export type CommandOptions = keyof OptionsOf

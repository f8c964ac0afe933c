import type { Json } from '../json/values.ts'

/** What a directory of images holds, as plain objects. Sizes are bytes; names are text for people. */
export interface Snapshot {
  readonly directory: string
  /** Where the link `parent` leads; undefined: the images are complete by themselves. */
  readonly parent: string | undefined
  readonly inventory: Inventory
  /** In the order of the tree: parents before their children. */
  readonly processes: readonly Process[]
  /** Open files by their id in the images. */
  readonly files: readonly OpenFile[]
  readonly sockets: readonly Socket[]
  readonly mounts: readonly Mount[]
  readonly sharedMemory: readonly SharedMemory[]
  /** Times and counts of the dump; undefined where stats-dump is missing. */
  readonly statistics: DumpStatistics | undefined
  /** Stages of the dump, from a dump.log beside the images. */
  readonly stages: readonly Stage[]
  /** Files of the directory with their sizes. */
  readonly images: readonly ImageFile[]
}

export interface Inventory {
  readonly version: number
  /** Uptime of the machine at the dump, microseconds. */
  readonly uptime: number | undefined
  readonly lsm: string | undefined
  readonly networkLock: number | undefined
}

export type ProcessState = 'alive' | 'dead' | 'stopped' | 'unknown'

export interface Process {
  readonly pid: number
  /** 0: the root of the tree. */
  readonly ppid: number
  readonly pgid: number
  readonly sid: number
  readonly state: ProcessState
  /** As wait(2) has it; of a zombie. */
  readonly exitCode: number
  readonly comm: string
  /** Its argument vector, where its memory is in the images; else empty. */
  readonly command: readonly string[]
  readonly exe: string | undefined
  readonly cwd: string | undefined
  readonly root: string | undefined
  readonly uid: number | undefined
  readonly gid: number | undefined
  readonly threads: readonly Thread[]
  /** Undefined: a zombie. */
  readonly memory: Memory | undefined
  readonly descriptors: readonly Descriptor[]
  /** Ids of its namespaces in the images, by kind. */
  readonly namespaces: Readonly<Record<string, number>>
}

export interface Thread {
  readonly tid: number
  readonly comm: string | undefined
  /** The system call it is in, by number, and where; undefined: an image of another architecture. */
  readonly instruction: string | undefined
}

export interface Memory {
  /** All that is mapped. */
  readonly size: number
  /** What the images hold of it, with those of parents. */
  readonly saved: number
  readonly mappings: readonly Mapping[]
  readonly pages: readonly PageRange[]
}

export const mappingKinds = [
  'code',
  'data',
  'file',
  'heap',
  'stack',
  'anonymous',
  'shared',
  'device',
  'kernel',
  'guard',
] as const
/**
 * `code`: executable, of a file; `data`: private and writable, of a file; `file`: all else of files;
 * `anonymous`: private memory without a name; `shared`: anonymous memory, memfds and System V segments;
 * `device`: rings; `kernel`: vdso, vvar, vsyscall; `guard`: no access at all.
 */
export type MappingKind = (typeof mappingKinds)[number]

export interface Mapping {
  readonly start: number
  readonly end: number
  /** `rw-`. */
  readonly access: string
  readonly shared: boolean
  readonly kind: MappingKind
  /** Path, `[heap]`, `shmem[1]`; empty for private anonymous memory. */
  readonly name: string
  /** Offset in the file or segment. */
  readonly offset: number
  /** Pages of it in these images, and in those of a parent. */
  readonly present: number
  readonly inParent: number
  /** Bits of `vma_entry.status`. */
  readonly status: number
  /** The file's or segment's id; 0: none. */
  readonly id: number
}

/** An entry of a pagemap. */
export interface PageRange {
  readonly start: number
  readonly pages: number
  readonly where: 'images' | 'parent' | 'lazy'
}

export interface Descriptor {
  readonly fd: number
  readonly closeOnExec: boolean
  /** Type as the images call it: `REG`. */
  readonly type: string
  /** Id of the open file: descriptors with the same one share it. */
  readonly id: number
  readonly name: string
}

export interface OpenFile {
  readonly id: number
  readonly type: string
  readonly name: string
  /** `rw`, `O_APPEND`, …; undefined: an object without flags. */
  readonly flags: string | undefined
  /** All that the images have of it, as decode shows it. */
  readonly entry: Json
}

export interface Socket {
  readonly id: number
  readonly family: string
  readonly type: string
  readonly protocol: string | undefined
  readonly state: string
  readonly local: string
  readonly remote: string
  readonly inode: number
  /** Bytes that wait in it, as far as the images hold them. */
  readonly queued: number
}

export interface Mount {
  /** Id of the mount namespace. */
  readonly namespace: number
  readonly id: number
  readonly parent: number
  readonly mountpoint: string
  readonly root: string
  readonly source: string
  readonly type: string
  readonly options: string
}

export interface SharedMemory {
  readonly id: number
  /** Bytes that the images hold of it. */
  readonly saved: number
}

/** Times in microseconds, the others count pages. */
export interface DumpStatistics {
  readonly freezing: number
  readonly frozen: number
  readonly memoryDump: number
  readonly memoryWrite: number
  readonly pagesScanned: number
  readonly pagesSkipped: number
  readonly pagesWritten: number
}

/** Milliseconds from the job's begin on. */
export interface Stage {
  readonly name: string
  readonly start: number
  readonly duration: number
}

export interface ImageFile {
  readonly name: string
  readonly size: number
}

export const PAGE = 4096

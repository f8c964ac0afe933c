import { scratch } from './memory.ts'
import { checked, sys } from './sys.ts'

/** What stat(2) tells of a file; see inode(7). */
export interface FileStat {
  readonly dev: bigint
  readonly ino: bigint
  readonly nlink: number
  /** Type and permissions. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Of a device file, as st_rdev has it. */
  readonly rdev: bigint
  /** Bytes. */
  readonly size: bigint
  /** Of 512 bytes each. */
  readonly blocks: bigint
}

/** struct stat of x86-64 (asm/stat.h). */
const STAT_SIZE = 144

/** Decodes a struct stat, for calls that ran in a table. */
export function decodeStat(view: DataView): FileStat {
  return {
    dev: view.getBigUint64(0, true),
    ino: view.getBigUint64(8, true),
    nlink: Number(view.getBigUint64(16, true)),
    mode: view.getUint32(24, true),
    uid: view.getUint32(28, true),
    gid: view.getUint32(32, true),
    rdev: view.getBigUint64(40, true),
    size: view.getBigInt64(48, true),
    blocks: view.getBigInt64(64, true),
  }
}

/** fstat of one of our descriptors; works for O_PATH ones. */
export function statFd(fd: number): FileStat {
  using s = scratch()
  const memory = s.take(STAT_SIZE)
  checked(sys('fstat', fd, memory.address), 'fstat')
  return decodeStat(memory.view)
}

/** stat of a path (following links); undefined where there is none. Other errors too: it is not there for us. */
export function tryStat(path: string): FileStat | undefined {
  using s = scratch()
  const memory = s.take(STAT_SIZE)
  return sys('stat', s.string(path), memory.address) < 0 ? undefined : decodeStat(memory.view)
}

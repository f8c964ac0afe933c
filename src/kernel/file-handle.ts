import { AT } from './constants/fcntl.ts'
import { scratch } from './memory.ts'
import { checked, open, owned, sys } from './sys.ts'
import type { LocalFd } from './types.ts'

/** What a file system calls an inode (man 2 name_to_handle_at): struct file_handle. */
export interface FileHandle {
  readonly type: number
  readonly bytes: Uint8Array
}

/** MAX_HANDLE_SZ of fcntl.h. */
export const MAX_HANDLE_SIZE = 128
/** Bytes of struct file_handle before the handle itself: its length and its type. */
const HEAD = 8
const O_PATH = 0o10000000

/** The handle of an open file, and the id of the mount that it was opened on. */
export interface FoundHandle {
  readonly handle: FileHandle
  readonly mountId: number
}

/**
 * The handle by which the kernel tells an inode from all others of its file system, be it one that
 * can open a file again or not (AT_HANDLE_FID, since Linux 6.5). Undefined: it has none.
 */
export function tryHandleOf(fd: LocalFd): FoundHandle | undefined {
  using s = scratch()
  const memory = s.take(HEAD + MAX_HANDLE_SIZE)
  const mount = s.take(4)
  memory.view.setUint32(0, MAX_HANDLE_SIZE, true)
  const flags = AT.EMPTY_PATH | AT.HANDLE_FID
  const result = sys('name_to_handle_at', fd, s.string(''), memory.address, mount.address, flags)
  if (result < 0) return undefined
  const length = memory.view.getUint32(0, true)
  return {
    handle: {
      type: memory.view.getInt32(4, true),
      bytes: memory.bytes.slice(HEAD, HEAD + length),
    },
    mountId: mount.view.getInt32(0, true),
  }
}

/**
 * open_by_handle_at(2) in the file system of a directory: a descriptor, or −errno. The directory is
 * entered for this moment instead of being opened: an open is an event to whoever watches it.
 */
export function tryOpenByHandle(directory: string, handle: FileHandle, flags: number): number {
  using before = owned(open('.', O_PATH))
  using s = scratch()
  const entered = sys('chdir', s.string(directory))
  if (entered < 0) return entered
  try {
    const memory = s.take(HEAD + handle.bytes.length)
    memory.view.setUint32(0, handle.bytes.length, true)
    memory.view.setInt32(4, handle.type, true)
    memory.bytes.set(handle.bytes, HEAD)
    return sys('open_by_handle_at', AT.FDCWD, memory.address, flags)
  } finally {
    checked(sys('fchdir', before.fd), 'fchdir')
  }
}

export const isSameHandle = (a: FileHandle, b: FileHandle): boolean =>
  a.type === b.type && Buffer.compare(a.bytes, b.bytes) === 0

import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { Errno } from '../../kernel/errno.ts'
import { tryOpenByHandle } from '../../kernel/file-handle.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { type MountInfo, readMountInfo } from '../../kernel/proc/mountinfo.ts'
import { statFd } from '../../kernel/stat.ts'
import { checked, close, open, tryOpen } from '../../kernel/sys.ts'
import { type FileId, type LocalFd, localFd } from '../../kernel/types.ts'
import type { RestoreContext } from '../restore-model.ts'
import { handleOfEntry, placeOfEntry } from './watched.ts'

type HandleEntry = Messages['fh_entry']

/** What an entry tells of a watched inode. */
export interface WatchedEntry {
  readonly s_dev: number
  readonly i_ino: bigint
  readonly f_handle: HandleEntry
}

/** The file of the images that a watched inode is, if one is. */
const fileOf = (entry: HandleEntry, { model }: RestoreContext): FileId | undefined => {
  const { file } = placeOfEntry(entry)
  return file !== undefined && model.files.has(file) ? file : undefined
}

const mountTables = new WeakMap<RestoreContext, readonly MountInfo[]>()

export function mountsHere(restore: RestoreContext): readonly MountInfo[] {
  const known = mountTables.get(restore) ?? readMountInfo('/proc/self')
  mountTables.set(restore, known)
  return known
}

/** A descriptor of the inode (O_PATH), to be closed at the end of its scope. */
export function openWatched(
  entry: WatchedEntry,
  restore: RestoreContext,
): { readonly fd: LocalFd } & Disposable {
  const fd = openInode(entry, restore)
  return { fd, [Symbol.dispose]: () => close(fd) }
}

function openInode(entry: WatchedEntry, restore: RestoreContext): LocalFd {
  const file = fileOf(entry.f_handle, restore)
  if (file !== undefined) return duplicate(restore.files.description(file))
  const { path, byPath } = placeOfEntry(entry.f_handle)
  if (byPath) return openPath(path!)
  const fd = tryOpenHandle(entry, restore)
  if (fd >= 0) return localFd(fd)
  if (path !== undefined) return openPath(path)
  return fail({
    code: 'syscall',
    operation: 'open_by_handle_at',
    errno: -fd,
    kind: `watched inode ${entry.i_ino}`,
    remedy: 'restore on the file system that it was dumped on, or dump with --force-irmap',
  })
}

const duplicate = (fd: LocalFd): LocalFd => open(`/proc/self/fd/${fd}`, O.PATH)

function openPath(path: string): LocalFd {
  const fd = tryOpen(path, O.PATH | O.NOFOLLOW)
  const remedy = 'the restored program watches this file: put it back as it was at the dump'
  return localFd(checked(fd, 'open', { path: displayPath(path), remedy }))
}

/** A descriptor, or −errno. The number of an inode may be in use anew: the handle tells. */
function tryOpenHandle({ s_dev, i_ino, f_handle }: WatchedEntry, restore: RestoreContext): number {
  const handle = handleOfEntry(f_handle)
  let result: number = -Errno.ESTALE
  if (!handle) return result
  for (const { kernelDev, mountpoint } of mountsHere(restore)) {
    if (kernelDev !== s_dev) continue
    result = tryOpenByHandle(mountpoint, handle, O.PATH | O.CLOEXEC)
    if (result >= 0 && statFd(localFd(result)).ino === i_ino) return result
    if (result >= 0) {
      close(result)
      result = -Errno.ESTALE
    }
  }
  return result
}

/** Path by which a call reaches what a descriptor leads to. */
export const pathOfFd = (fd: LocalFd): string => `/proc/self/fd/${fd}`

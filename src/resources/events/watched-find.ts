import { O } from '../../kernel/constants/fcntl.ts'
import { IN } from '../../kernel/constants/notify.ts'
import { isSameHandle, tryHandleOf, tryOpenByHandle } from '../../kernel/file-handle.ts'
import { kernelMajor, kernelMinor, makeDev } from '../../kernel/proc/device.ts'
import { type MountInfo, readMountInfo } from '../../kernel/proc/mountinfo.ts'
import { readProcLink } from '../../kernel/proc/read.ts'
import { type FileStat, statFd } from '../../kernel/stat.ts'
import { owned, tryOpen } from '../../kernel/sys.ts'
import type { FileId, LocalFd } from '../../kernel/types.ts'
import type { DumpContext, DumpTask, FdProbe } from '../dump-model.ts'
import { isSame, pathFromHere, tryLstat } from '../files/lookup.ts'
import { scan } from './irmap.ts'
import type { MarkLine, WatchedInode, WatchedPlace } from './watched.ts'

/** Why an inode that is watched cannot be found again. */
export interface Unfound {
  readonly unfound: string
  readonly remedy: string
}

const mountTables = new WeakMap<DumpTask, readonly MountInfo[]>()

export function mountsOf(task: DumpTask): readonly MountInfo[] {
  const known = mountTables.get(task) ?? readMountInfo(task.proc)
  mountTables.set(task, known)
  return known
}

/**
 * Finds watched inodes: by their handle where the file system can open by it; else among what the tree
 * has open; else by looking where it may be (irmap). Nothing is opened but with O_PATH, which is no
 * event for those who watch.
 */
export class InodeFinder {
  readonly #dump: DumpContext
  readonly #observed: ReadonlySet<string>

  /** `marks`: all that the tree watches, so that nothing is read where that would be an event. */
  constructor(marks: readonly MarkLine[], dump: DumpContext) {
    const observed = marks.filter(({ get }) => get('mask') & READING)
    this.#observed = new Set(observed.map(({ inode }) => keyOf(inode)))
    this.#dump = dump
  }

  find(probe: FdProbe, inode: WatchedInode): WatchedPlace | Unfound {
    const mounts = mountsOf(probe.task).filter(({ kernelDev }) => kernelDev === inode.device)
    using opened = owned(openHandle(probe.task, inode, mounts))
    const byHandle = opened.fd >= 0
    if (byHandle && statFd(opened.fd).nlink > 0) {
      const path = tryPathOf(probe.task, opened.fd)
      return { path, byPath: path !== undefined && this.#dump.options.forceIrmap, file: undefined }
    }
    const holder = this.#holderOf(inode, mounts)
    if (holder) return holder
    if (byHandle)
      return {
        unfound: 'an unlinked file, which no process of the tree has open',
        remedy: 'remove the watch first',
      }
    const path = scan(this.#dump, probe.task, mounts, {
      isWanted: (fd) => isThis(inode, fd, mounts),
      isObserved: (stat) => this.#observed.has(keyOf({ device: inode.device, ino: stat.ino })),
    })
    if (path !== undefined) return { path, byPath: true, file: undefined }
    const device = `${kernelMajor(inode.device)}:${kernelMinor(inode.device)}`
    return {
      unfound: `inode ${inode.ino} of device ${device}, whose path is not known`,
      remedy: 'name the directory that it is in by --irmap-scan-path',
    }
  }

  /** A descriptor or directory of the tree that is this very inode. */
  #holderOf(inode: WatchedInode, mounts: readonly MountInfo[]): WatchedPlace | undefined {
    const { files, tasks } = this.#dump
    const place = (file: FileId, task: DumpTask, fd: LocalFd): WatchedPlace => {
      const path = tryPathOf(task, fd)
      return { file, path, byPath: path !== undefined }
    }
    for (const { probe, id } of files.descriptors)
      if (probe.stat.ino === inode.ino && isThis(inode, probe.local, mounts))
        return place(id, probe.task, probe.local)
    for (const task of tasks)
      for (const name of ['cwd', 'root'] as const) {
        const id = task.places?.[name]
        using directory = owned(tryOpen(`${task.proc}/${name}`, O.PATH))
        if (id !== undefined && directory.fd >= 0 && isThis(inode, directory.fd, mounts))
          return place(id, task, directory.fd)
      }
    return undefined
  }
}

/** Events of one who reads a directory; they have the same bits in fanotify. */
const READING = IN.ACCESS | IN.OPEN | IN.CLOSE_NOWRITE

const keyOf = ({ device, ino }: Pick<WatchedInode, 'device' | 'ino'>): string => `${device}:${ino}`

/** A descriptor (O_PATH), or −errno. */
function openHandle(task: DumpTask, { ino, handle }: WatchedInode, mounts: readonly MountInfo[]) {
  if (!handle) return -1
  for (const { mountpoint } of mounts) {
    const fd = tryOpenByHandle(pathFromHere(task, mountpoint), handle, O.PATH | O.CLOEXEC)
    if (fd < 0) continue
    if (statFd(fd as LocalFd).ino === ino) return fd
    owned(fd)[Symbol.dispose]()
  }
  return -1
}

/** Whether a descriptor is of that inode; the file system may number it otherwise in stat. */
function isThis(
  { device, ino, handle }: WatchedInode,
  fd: LocalFd,
  mounts: readonly MountInfo[],
): boolean {
  const stat = statFd(fd)
  const found = tryHandleOf(fd)
  const isThere =
    isOnDevice(stat, device) || mounts.some(({ id }) => found !== undefined && id === found.mountId)
  if (!isThere) return false
  return handle && found ? isSameHandle(handle, found.handle) : stat.ino === ino
}

const isOnDevice = ({ dev }: FileStat, device: number): boolean =>
  Number(dev) === makeDev(kernelMajor(device), kernelMinor(device))

/** The path that leads to it now, as the task counts paths. */
function tryPathOf(task: DumpTask, fd: LocalFd): string | undefined {
  const path = readProcLink(`/proc/self/fd/${fd}`)
  if (!path.startsWith('/')) return undefined
  return isSame(statFd(fd), tryLstat(pathFromHere(task, path))) ? path : undefined
}

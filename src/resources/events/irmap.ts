import { O } from '../../kernel/constants/fcntl.ts'
import { S } from '../../kernel/constants/stat.ts'
import { tryHandleOf } from '../../kernel/file-handle.ts'
import { readdirSync } from '../../kernel/fs.ts'
import { pathBytes, pathFromText } from '../../kernel/proc/bytes.ts'
import type { MountInfo } from '../../kernel/proc/mountinfo.ts'
import { type FileStat, statFd } from '../../kernel/stat.ts'
import { owned, tryOpen } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { DumpContext, DumpTask } from '../dump-model.ts'
import { pathFromHere } from '../files/lookup.ts'

/** Where programs like to watch: configuration, queues, devices, units. */
const WELL_KNOWN = ['/etc', '/var/spool', '/lib/udev', '/usr/share/dbus-1', '/run', '/dev']

/** So many names are looked at for one inode: some tenths of a second. */
const MOST_NAMES = 100_000

interface Wanted {
  isWanted(fd: LocalFd): boolean
  /** Such a directory is not read: that would be an event of it. */
  isObserved(stat: FileStat): boolean
}

/**
 * Looks for an inode by name (upstream calls it irmap): in the directories of --irmap-scan-path, then
 * in well-known ones, then from the mount points of its file system on, nearest names first. It never
 * leaves that file system.
 */
export function scan(
  { options }: DumpContext,
  task: DumpTask,
  mounts: readonly MountInfo[],
  wanted: Wanted,
): string | undefined {
  const ids = new Set<number | undefined>(mounts.map(({ id }) => id))
  const starts = [
    ...options.irmapScanPaths.map(pathFromText),
    ...WELL_KNOWN,
    ...mounts.map(({ mountpoint }) => mountpoint),
  ]
  const queue = [...new Set(starts)]
  for (let at = 0; at < Math.min(queue.length, MOST_NAMES); at++) {
    const path = queue[at]!
    const here = pathFromHere(task, path)
    using file = owned(tryOpen(here, O.PATH | O.NOFOLLOW))
    if (file.fd < 0) continue
    if (wanted.isWanted(file.fd)) return path
    const stat = statFd(file.fd)
    const isDirectory = (stat.mode & S.IFMT) === S.IFDIR
    if (!isDirectory || wanted.isObserved(stat) || !ids.has(tryHandleOf(file.fd)?.mountId)) continue
    for (const name of tryNames(here)) queue.push(path === '/' ? `/${name}` : `${path}/${name}`)
  }
  return undefined
}

function tryNames(directory: string): string[] {
  try {
    return readdirSync(pathBytes(directory), { encoding: 'latin1' })
  } catch {
    return [] // It may have gone meanwhile.
  }
}

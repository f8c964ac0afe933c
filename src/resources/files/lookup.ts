import { AT } from '../../kernel/constants/fcntl.ts'
import { scratch } from '../../kernel/memory.ts'
import { tryReadProcLink } from '../../kernel/proc/read.ts'
import { decodeStat, type FileStat } from '../../kernel/stat.ts'
import { sys } from '../../kernel/sys.ts'
import type { DumpTask, FdProbe } from '../dump-model.ts'

const STAT_SIZE = 144
const deletedSuffix = ' (deleted)'

/** lstat of a path; undefined where nothing is there for us. */
export function tryLstat(path: string): FileStat | undefined {
  using s = scratch()
  const memory = s.take(STAT_SIZE)
  const result = sys('newfstatat', AT.FDCWD, s.string(path), memory.address, AT.SYMLINK_NOFOLLOW)
  return result < 0 ? undefined : decodeStat(memory.view)
}

export const isSame = (a: FileStat, b: FileStat | undefined): boolean =>
  b !== undefined && a.dev === b.dev && a.ino === b.ino

/**
 * A path that stands in a link of the task, as we reach it. The kernel prints such a path from the
 * root of the one who reads the link (fs/d_path.c), also where the task is in a chroot: in our own
 * mount namespace it is right as it stands. In another one it counts from that namespace's root,
 * which we reach through the task's root directory.
 */
export function pathFromHere(task: DumpTask, path: string): string {
  const root = rootOf(task)
  if (root === undefined) return path
  if (root === '/') return `${task.proc}/root${path}`
  return path.startsWith(`${root}/`) ? `${task.proc}/root${path.slice(root.length)}` : path
}

const roots = new WeakMap<DumpTask, { readonly path: string | undefined }>()

/** The task's root within its mount namespace; undefined where that is our own. */
function rootOf(task: DumpTask): string | undefined {
  const known = roots.get(task)
  if (known) return known.path
  const same = tryReadProcLink(`${task.proc}/ns/mnt`) === tryReadProcLink('/proc/self/ns/mnt')
  const path = same ? undefined : tryReadProcLink(`${task.proc}/root`)
  roots.set(task, { path })
  return path
}

/** The name that a link tells of, whatever it leads to now; undefined for what has no path. */
export function linkPath(probe: FdProbe): string | undefined {
  const { link } = probe
  return link.kind === 'path' || link.kind === 'unreachable' ? link.path : undefined
}

/**
 * The path by which the very file of a probe is found; undefined where the name is gone or leads to
 * another file. A link text that ends in ` (deleted)` may as well be a name that does.
 */
export function tryFindPath(probe: FdProbe): string | undefined {
  const { link, stat, task } = probe
  if (link.kind !== 'path' && link.kind !== 'unreachable') return undefined
  const names = link.deleted ? [`${link.path}${deletedSuffix}`] : [link.path]
  return names.find((name) => isSame(stat, tryLstat(pathFromHere(task, name))))
}

/** Everything before the last component; `/` for what lies in the root. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}

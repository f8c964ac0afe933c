import { fail } from '../../errors/error.ts'
import { decode, encode } from '../../images/codec.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { FIRST_OWN_FIELD, ownFieldsOf, withOwnFields } from '../../images/own-fields.ts'
import { AT, O } from '../../kernel/constants/fcntl.ts'
import { FAN_MARK } from '../../kernel/constants/notify.ts'
import { tryHandleOf } from '../../kernel/file-handle.ts'
import { scratch } from '../../kernel/memory.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { checked, owned, sys, tryOpen } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { pathFromHere } from '../files/lookup.ts'
import { refuseFile } from '../files/refuse.ts'
import type { RestoreContext } from '../restore-model.ts'
import { handleEntry, type MarkLine } from './watched.ts'
import { type InodeFinder, mountsOf } from './watched-find.ts'
import { openWatched, pathOfFd } from './watched-open.ts'

type GroupEntry = Messages['fanotify_file_entry']
type MarkEntry = Messages['fanotify_mark_entry']

/** Values of mark_type. */
const TYPE = { INODE: 1, MOUNT: 2 } as const

/** A mark, and what it is on: FAN_MARK_INODE, FAN_MARK_MOUNT or FAN_MARK_FILESYSTEM. */
interface Mark {
  readonly on: number
  readonly entry: MarkEntry
}

/**
 * The entry with its marks. Upstream knows none on whole file systems: those stand in fields of ours,
 * each a message like the others, with the path of a mount of it.
 */
export function withMarks(
  group: GroupEntry,
  probe: FdProbe,
  lines: readonly MarkLine[],
  finder: InodeFinder,
  dump: DumpContext,
): GroupEntry {
  const marks = lines.flatMap((line) => markOf(group.id, line, probe, finder, dump) ?? [])
  const isOurs = ({ on }: Mark) => on === FAN_MARK.FILESYSTEM
  const own = marks
    .filter(isOurs)
    .map(({ entry }, i) => [FIRST_OWN_FIELD + i, encode('fanotify_mark_entry', entry)] as const)
  const mark = marks.filter((one) => !isOurs(one)).map(({ entry }) => entry)
  return withOwnFields({ ...group, mark }, new Map(own))
}

/** In the order in which they were made: the kernel lists the newest first. */
export function marksOf(group: GroupEntry): Mark[] {
  const own = [...ownFieldsOf(group).values()].flatMap((value) =>
    value instanceof Uint8Array
      ? [{ on: FAN_MARK.FILESYSTEM, entry: decode('fanotify_mark_entry', value) }]
      : [],
  )
  const others = group.mark.map((entry) => ({
    on: entry.type === TYPE.MOUNT ? FAN_MARK.MOUNT : FAN_MARK.INODE,
    entry,
  }))
  return [...others.reverse(), ...own.reverse()]
}

function markOf(
  id: number,
  line: MarkLine,
  probe: FdProbe,
  finder: InodeFinder,
  dump: DumpContext,
): Mark | undefined {
  const { get, has, inode } = line
  const refuse = (what: string, remedy = 'let the program remove it first'): undefined => {
    refuseFile(dump, probe, `fanotify mark on ${what}`, remedy)
  }
  const common = {
    id,
    mflags: get('mflags'),
    mask: get('mask'),
    ignored_mask: get('ignored_mask'),
  }
  if (has('ino')) {
    const place = finder.find(probe, inode)
    if ('unfound' in place) return refuse(place.unfound, place.remedy)
    const ie = { i_ino: inode.ino, f_handle: handleEntry(inode, place) }
    const entry = { ...common, type: TYPE.INODE, s_dev: inode.device, ie } as MarkEntry
    return { on: FAN_MARK.INODE, entry }
  }
  if (!has('mnt_id') && !has('sdev')) return refuse('a mount namespace')
  const isMount = has('mnt_id')
  const mount = tryMount(probe, (one) =>
    isMount ? one.id === get('mnt_id') : one.kernelDev === inode.device,
  )
  if (!mount) return refuse(`a ${isMount ? 'mount' : 'file system'} that no path leads to`)
  const me = { mnt_id: mount.id, path: mount.mountpoint }
  const entry = { ...common, type: TYPE.MOUNT, s_dev: mount.kernelDev, me } as MarkEntry
  return { on: isMount ? FAN_MARK.MOUNT : FAN_MARK.FILESYSTEM, entry }
}

/** A mount of the task's that is not hidden behind another one. */
function tryMount(
  { task }: FdProbe,
  isWanted: (mount: ReturnType<typeof mountsOf>[number]) => boolean,
) {
  return mountsOf(task)
    .filter(isWanted)
    .find(({ id, mountpoint }) => {
      using root = owned(tryOpen(pathFromHere(task, mountpoint), O.PATH))
      return root.fd >= 0 && tryHandleOf(root.fd)?.mountId === id
    })
}

/** What is asked for and what is ignored are two calls. */
export function restoreMark(group: LocalFd, { on, entry }: Mark, restore: RestoreContext): void {
  const { mask, ignored_mask: ignored, mflags } = entry
  using target = openTarget(entry, restore)
  const evictable = mflags & FAN_MARK.EVICTABLE
  if (mask !== 0) addMark(group, on | evictable, mask, target.fd)
  if (ignored === 0) return
  const surviving = mflags & FAN_MARK.IGNORED_SURV_MODIFY
  const how = mflags & FAN_MARK.IGNORE ? FAN_MARK.IGNORE : FAN_MARK.IGNORED_MASK
  addMark(group, on | evictable | how | surviving, ignored, target.fd)
}

function openTarget(
  { ie, me, s_dev }: MarkEntry,
  restore: RestoreContext,
): { readonly fd: LocalFd } & Disposable {
  if (ie) return openWatched({ s_dev, ...ie }, restore)
  const path = me?.path ?? failUnnamed(me?.mnt_id)
  const fd = tryOpen(path, O.PATH)
  const remedy = 'the restored program watches this mount: put it back as it was at the dump'
  return owned(checked(fd, 'open', { path: displayPath(path), remedy }))
}

function addMark(group: LocalFd, flags: number, mask: number, target: LocalFd): void {
  using s = scratch()
  const path = s.string(pathOfFd(target))
  const result = sys('fanotify_mark', group, FAN_MARK.ADD | flags, mask, AT.FDCWD, path)
  checked(result, 'fanotify_mark', { kind: 'fanotify group' })
}

const failUnnamed = (id: number | undefined): never =>
  fail({
    code: 'image',
    file: 'files.img',
    reason: `a fanotify mark on mount ${id}, whose path is not told`,
  })

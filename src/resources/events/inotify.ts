import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { IN, INOTIFY_IOC } from '../../kernel/constants/notify.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, must, sys } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { connectOwner } from '../files/async.ts'
import { partOf } from '../files/entry-part.ts'
import { ownerOf, restoreSignal } from '../files/owner.ts'
import { refuseFile } from '../files/refuse.ts'
import type { RestoreContext } from '../restore-model.ts'
import { isAnon, setFlags } from './anon.ts'
import { refuseUnread } from './unread.ts'
import { handleEntry, type MarkLine, markLines } from './watched.ts'
import { InodeFinder } from './watched-find.ts'
import { openWatched, pathOfFd } from './watched-open.ts'

type WatchEntry = Messages['inotify_wd_entry']

/** INOTIFY of fd_types. */
const TYPE = 8

/** An instance of the tree, and its entry's watches, to be filled in once all files are known. */
interface FoundInstance {
  readonly probe: FdProbe
  readonly id: number
  readonly lines: readonly MarkLine[]
  readonly watches: WatchEntry[]
}

const found = new WeakMap<DumpContext, FoundInstance[]>()

/**
 * Watches of files and directories: which inodes, under which numbers (wd), for what.
 */
export const inotify: FdKind = {
  tag: 'inotify',
  type: TYPE,
  recognise: (probe) => isAnon(probe, 'inotify'),
  dump(probe, id, dump) {
    refuseUnread(probe, dump, 'inotify instance')
    const instances = found.get(dump) ?? []
    found.set(dump, instances)
    const watches: WatchEntry[] = []
    instances.push({ probe, id, lines: markLines(probe.info, 'inotify'), watches })
    return { ify: { id, flags: probe.flags, fown: ownerOf(probe, dump), wd: watches } }
  },
  finishDump(dump) {
    const instances = found.get(dump) ?? []
    const finder = new InodeFinder(
      instances.flatMap(({ lines }) => lines),
      dump,
    )
    for (const instance of instances)
      for (const line of instance.lines) addWatch(instance, line, finder, dump)
  },

  open(entry) {
    const { flags, fown } = partOf(entry, 'ify')
    // Its IN_CLOEXEC is O_CLOEXEC, as its IN_NONBLOCK is O_NONBLOCK.
    const fd = localFd(must('inotify_init1', O_CLOEXEC))
    setFlags(fd, flags)
    restoreSignal(fd, fown)
    return fd
  },
  connect(entry, fd, restore) {
    const { wd, flags, fown } = partOf(entry, 'ify')
    // The kernel lists the newest first, and numbers only go up.
    for (const watch of [...wd].sort((a, b) => a.wd - b.wd)) restoreWatch(fd, watch, restore)
    connectOwner(fd, entry.id, flags, fown, restore)
  },
}

const O_CLOEXEC = 0o2000000

function addWatch(
  { probe, id, watches }: FoundInstance,
  { get, inode }: MarkLine,
  finder: InodeFinder,
  dump: DumpContext,
): void {
  const place = finder.find(probe, inode)
  if ('unfound' in place) {
    refuseFile(dump, probe, `inotify watch ${get('wd')} of ${place.unfound}`, place.remedy)
    return
  }
  watches.push({
    id,
    i_ino: inode.ino,
    mask: get('mask'),
    ignored_mask: get('ignored_mask'),
    s_dev: inode.device,
    wd: get('wd'),
    f_handle: handleEntry(inode, place),
  })
}

/** Bits that a caller may set; older kernels show internal ones as well. */
const SETTABLE = (IN.ALL_EVENTS | IN.EXCL_UNLINK | IN.ONESHOT) >>> 0

function restoreWatch(fd: LocalFd, watch: WatchEntry, restore: RestoreContext): void {
  using inode = openWatched(watch, restore)
  using s = scratch()
  const kind = `inotify watch ${watch.wd}`
  const remedy = 'the kernel must have CONFIG_CHECKPOINT_RESTORE'
  const next = sys('ioctl', fd, INOTIFY_IOC.SETNEXTWD, watch.wd)
  checked(next, 'INOTIFY_IOC_SETNEXTWD', { kind, remedy })
  // A watch for nothing is told by a bit that says nothing: the call takes no empty mask.
  const mask = watch.mask & SETTABLE || IN.IGNORED
  const added = sys('inotify_add_watch', fd, s.string(pathOfFd(inode.fd)), mask >>> 0)
  const wd = checked(added, 'inotify_add_watch', { kind })
  if (wd === watch.wd) return
  const reason = `${kind} came out as ${wd}: two watches lead to the same file by now`
  fail({ code: 'conflict', reason, remedy: 'put the watched files back as they were at the dump' })
}

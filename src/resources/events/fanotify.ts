import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { CAP, hasCap } from '../../kernel/constants/capability.ts'
import { F, FD } from '../../kernel/constants/fcntl.ts'
import { FAN } from '../../kernel/constants/notify.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { checked, must, sys } from '../../kernel/sys.ts'
import { localFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { connectOwner } from '../files/async.ts'
import { partOf } from '../files/entry-part.ts'
import { ownerOf, restoreSignal } from '../files/owner.ts'
import { refuseFile } from '../files/refuse.ts'
import { isAnon, setFlags } from './anon.ts'
import { marksOf, restoreMark, withMarks } from './fanotify-marks.ts'
import { refuseUnread } from './unread.ts'
import { type MarkLine, markLines } from './watched.ts'
import { InodeFinder } from './watched-find.ts'

type GroupEntry = Messages['fanotify_file_entry']

/** FANOTIFY of fd_types. */
const TYPE = 12

interface FoundGroup {
  readonly probe: FdProbe
  readonly entry: GroupEntry
  readonly marks: readonly MarkLine[]
}

const found = new WeakMap<DumpContext, FoundGroup[]>()

/** Groups that are told what happens to marked files, mounts and file systems (man 7 fanotify). */
export const fanotify: FdKind = {
  tag: 'fanotify',
  type: TYPE,
  recognise: (probe) => isAnon(probe, 'fanotify'),
  dump(probe, id, dump) {
    const lines = markLines(probe.info, 'fanotify')
    const marks = lines.filter((line) => line.has('mask'))
    failOnPermissions(probe, marks)
    refuseUnread(probe, dump, 'fanotify group')
    const init = lines.find((line) => line.has('event-flags'))
    const faflags = init?.get('flags') ?? 0
    if (isMaybeUnprivileged(probe, faflags, marks)) {
      const what = 'fanotify group of a process without CAP_SYS_ADMIN'
      refuseFile(dump, probe, what, 'the kernel does not tell with which rights it was made')
    }
    const evflags = init?.get('event-flags') ?? 0
    const { flags } = probe
    const entry = { id, flags, fown: ownerOf(probe, dump), faflags, evflags, mark: [] }
    const groups = found.get(dump) ?? []
    found.set(dump, groups)
    groups.push({ probe, entry, marks })
    return { ffy: entry }
  },
  finishDump(dump) {
    const groups = found.get(dump) ?? []
    const finder = new InodeFinder(
      groups.flatMap(({ marks }) => marks),
      dump,
    )
    for (const { probe, entry, marks } of groups)
      Object.assign(entry, withMarks(entry, probe, marks, finder, dump))
  },

  open(entry) {
    const { flags, faflags, evflags, fown } = partOf(entry, 'ffy')
    // The very flags, since fdinfo shows them: FAN_CLOEXEC, too, stays with the group.
    const made = sys('fanotify_init', faflags, evflags)
    const fd = localFd(checked(made, 'fanotify_init', { kind: 'fanotify group' }))
    must('fcntl', fd, F.SETFD, FD.CLOEXEC)
    setFlags(fd, flags)
    restoreSignal(fd, fown)
    return fd
  },
  connect(entry, fd, restore) {
    const group = partOf(entry, 'ffy')
    for (const mark of marksOf(group)) restoreMark(fd, mark, restore)
    connectOwner(fd, entry.id, group.flags, group.fown, restore)
  },
}

/** FAN_PRE_ACCESS since Linux 6.14. */
const PERMISSIONS = FAN.OPEN_PERM | FAN.ACCESS_PERM | FAN.OPEN_EXEC_PERM | FAN.PRE_ACCESS

/**
 * Told at once, before anything is opened: whoever opens such a file waits for an answer of the
 * process that we hold.
 */
function failOnPermissions({ task, fd }: FdProbe, marks: readonly MarkLine[]): void {
  if (!marks.some((mark) => mark.get('mask') & PERMISSIONS)) return
  const obstacle = {
    pid: task.pid,
    comm: displayPath(task.stat.comm),
    where: `fd ${fd}`,
    what: 'fanotify group that is asked for permission (FAN_OPEN_PERM and the like)',
    remedy: 'nobody could open the files while it is stopped: let it remove these marks',
  }
  fail({ code: 'obstacles', obstacles: [obstacle] })
}

/** What only a privileged group can have. */
const PRIVILEGED =
  FAN.CLASS_CONTENT |
  FAN.CLASS_PRE_CONTENT |
  FAN.UNLIMITED_QUEUE |
  FAN.UNLIMITED_MARKS |
  FAN.ENABLE_AUDIT |
  FAN.REPORT_PIDFD |
  FAN.REPORT_TID

/**
 * A group made without privileges is not told who did it (since Linux 5.13), and fdinfo does not show
 * that. Its process is no help either once it has dropped its privileges.
 */
function isMaybeUnprivileged(
  { task }: FdProbe,
  flags: number,
  marks: readonly MarkLine[],
): boolean {
  if (hasCap(task.status.caps.effective, CAP.SYS_ADMIN)) return false
  const reportsInodes = (flags & (FAN.REPORT_FID | FAN.REPORT_DIR_FID)) !== 0
  return reportsInodes && (flags & PRIVILEGED) === 0 && marks.every((mark) => mark.has('ino'))
}

import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import { openAs } from '../../kernel/open-as.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { majorOf, makeKernelDev, minorOf } from '../../kernel/proc/device.ts'
import { statFd } from '../../kernel/stat.ts'
import { close, open } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import type { RestoreContext } from '../restore-model.ts'
import { connectOwner } from './async.ts'
import { partOf } from './entry-part.ts'
import { linkPath, tryFindPath } from './lookup.ts'
import { ownerOf, restoreSignal } from './owner.ts'
import { setFlags } from './pipe-restore.ts'
import { refuseFile } from './refuse.ts'
import { regEntryOf } from './reg-entry.ts'
import { applySettings, isTerminal, settingsOf } from './tty-settings.ts'

type InfoEntry = Messages['tty_info_entry']

/** TTY and REG of fd_types. */
const TYPE = 11
const REG = 1

/** Majors of terminals (admin-guide/devices). */
const MAJOR = { TTY: 4, CONSOLE: 5, PTS_FIRST: 136, PTS_LAST: 143 } as const
/** TtyType of the images. */
const KIND = { PTY: 1, CONSOLE: 2, VT: 3, CTTY: 4, SERIAL: 6 } as const

const infos = new WeakMap<DumpContext, Map<number, InfoEntry>>()

function infosOf(dump: DumpContext): Map<number, InfoEntry> {
  const found = infos.get(dump) ?? new Map<number, InfoEntry>()
  infos.set(dump, found)
  return found
}

/**
 * A terminal that the tree shares with the shell it was started from (`--shell-job`): on restore our
 * own terminal takes its place. Others are refused.
 */
export const tty: FdKind = {
  tag: 'terminal',
  type: TYPE,
  recognise: ({ stat, link, flags }) =>
    link.kind === 'path' &&
    fileType(stat.mode) === 'char' &&
    (flags & O.PATH) === 0 &&
    isTtyMajor(majorOf(Number(stat.rdev))),
  dump(probe, id, dump) {
    if (!isShared(probe, dump)) return undefined
    const tty_info_id = infoIdOf(probe, dump)
    const regId = dump.files.nextId()
    const name = tryFindPath(probe) ?? linkPath(probe)!
    dump.files.add({ type: REG, id: regId, reg: regEntryOf(probe, regId, name, dump) })
    const fown = ownerOf(probe, dump)
    return { tty: { id, tty_info_id, flags: probe.flags, fown, regf_id: regId } }
  },
  finishDump(dump) {
    const entries = [...infosOf(dump).values()]
    if (entries.length > 0) dump.images.write('tty-info', entries)
  },

  open(entry, restore) {
    const { tty_info_id, flags, fown } = partOf(entry, 'tty')
    const info = infoOf(tty_info_id, restore)
    const fd = openOurs(info, flags)
    setOnce(fd, info, restore)
    setFlags(fd, flags)
    restoreSignal(fd, fown)
    return fd
  },
  connect(entry, fd, restore) {
    const { flags, fown } = partOf(entry, 'tty')
    connectOwner(fd, entry.id, flags, fown, restore)
  },
}

const isTtyMajor = (major: number): boolean =>
  major === MAJOR.TTY || major === MAJOR.CONSOLE || isPts(major)
const isPts = (major: number): boolean => major >= MAJOR.PTS_FIRST && major <= MAJOR.PTS_LAST

function isShared(probe: FdProbe, dump: DumpContext): boolean {
  const path = displayPath(linkPath(probe) ?? probe.path)
  const rdev = Number(probe.stat.rdev)
  const isMaster = majorOf(rdev) === MAJOR.CONSOLE && minorOf(rdev) === 2
  const what = isMaster ? `pseudo terminal master ${path}` : `terminal ${path}`
  const known = !isMaster && (isOfShell(probe, rdev, dump) || isOurs(rdev))
  if (!known) {
    refuseFile(dump, probe, what, 'only the terminal of the calling shell can be dumped yet')
    return false
  }
  if (dump.options.shellJob) return true
  refuseFile(dump, probe, `${what}, shared with the shell`, 'dump and restore with --shell-job')
  return false
}

/** The controlling terminal of a session whose leader is outside of the tree. */
function isOfShell({ task }: FdProbe, rdev: number, dump: DumpContext): boolean {
  const { ttyNr, session } = task.stat
  if (dump.tasks.some(({ pid }) => pid === session)) return false
  return ttyNr === rdev || (ttyNr !== 0 && rdev === CTTY_DEVICE)
}

/** /dev/tty: whatever the opener's controlling terminal was. */
const CTTY_DEVICE = (MAJOR.CONSOLE << 8) | 0

function isOurs(rdev: number): boolean {
  return [0, 1, 2].some((fd) => isTerminal(fd) && Number(statFd(fd).rdev) === rdev)
}

function infoIdOf(probe: FdProbe, dump: DumpContext): number {
  const known = infosOf(dump)
  const rdev = Number(probe.stat.rdev)
  const before = known.get(rdev)
  if (before) return before.id
  const id = known.size + 1
  const { stat, task } = probe
  const dev = Number(stat.dev)
  known.set(rdev, {
    id,
    type: kindOf(rdev),
    locked: false,
    packet_mode: false,
    sid: task.stat.session,
    pgrp: Math.max(task.stat.tpgid, 0),
    rdev,
    ...settingsOf(probe.local),
    pty: isPts(majorOf(rdev)) ? { index: ptyIndex(rdev) } : undefined,
    dev: makeKernelDev(majorOf(dev), minorOf(dev)),
    uid: stat.uid,
    gid: stat.gid,
  })
  return id
}

const ptyIndex = (rdev: number): number => (majorOf(rdev) - MAJOR.PTS_FIRST) * 256 + minorOf(rdev)

function kindOf(rdev: number): InfoEntry['type'] {
  const [major, minor] = [majorOf(rdev), minorOf(rdev)]
  if (isPts(major)) return KIND.PTY
  if (major === MAJOR.CONSOLE) return minor === 0 ? KIND.CTTY : KIND.CONSOLE
  return minor < 64 ? KIND.VT : KIND.SERIAL
}

function infoOf(id: number, { images, options }: RestoreContext): InfoEntry {
  if (!options.shellJob) {
    const reason = 'is needed: the images hold a terminal that was shared with a shell'
    fail({ code: 'option', option: '--shell-job', reason })
  }
  const info = images.readAll('tty-info').find((entry) => entry.id === id)
  if (info) return info
  return fail({ code: 'image', file: images.pathOf('tty-info'), reason: `no terminal ${id}` })
}

/** Our own terminal, as a description with flags of its own. */
function openOurs(info: InfoEntry, flags: number): LocalFd {
  const access = (flags & (O.ACCMODE | O.LARGEFILE)) | O.NONBLOCK | O.NOCTTY
  if (info.type === KIND.CTTY) return openAs('/dev/tty', access)
  const ours = [0, 1, 2].find(isTerminal)
  if (ours !== undefined) return openAs(`/proc/self/fd/${ours}`, access)
  return fail({
    code: 'option',
    option: '--shell-job',
    reason: 'needs a terminal on standard input, output or error',
    remedy: 'restore from a shell on a terminal',
  })
}

const done = new WeakMap<RestoreContext, Set<number>>()

/** Modes and size as they were; a restore that fails gives back what it found. */
function setOnce(fd: LocalFd, info: InfoEntry, restore: RestoreContext): void {
  const set = done.get(restore) ?? new Set<number>()
  done.set(restore, set)
  if (set.has(info.id)) return
  set.add(info.id)
  const before = settingsOf(fd)
  const kept = open(`/proc/self/fd/${fd}`, O.RDWR | O.NOCTTY | O.NONBLOCK)
  applySettings(fd, info)
  restore.atEnd((succeeded) => {
    if (!succeeded) applySettings(kept, before)
    close(kept)
  })
}

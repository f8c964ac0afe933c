import type { Messages } from '../../images/gen/messages.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { TIOC } from '../../kernel/constants/ioctl.ts'
import { tryStat } from '../../kernel/stat.ts'
import { checked, close, must, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { setFlags } from '../files/pipe-restore.ts'
import { openRegWith } from '../files/reg-entry.ts'
import type { RestoreContext } from '../restore-model.ts'
import { type Content, decodeLine, guessLines, isCanonical, nothing } from './content.ts'
import { TTY_TYPE } from './device.ts'
import { tell } from './ends.ts'
import { fill } from './fill.ts'
import { openCurrent } from './open-current.ts'
import { ownList, ownNumber } from './own-fields.ts'
import { closeUnnoticed, openPeer } from './peer.ts'
import { type PairModel, terminalModel } from './restore-model.ts'
import { modesIn, setLocked, setSize } from './settings.ts'

type TtyEntry = Messages['tty_file_entry']

/** A pseudoterminal that was just made, and what is to become of it. */
export interface NewPair {
  readonly pair: PairModel
  /** Locked, as every new one is; of the tree, unless the images have no master. */
  readonly master: LocalFd
  readonly restore: RestoreContext
}

/**
 * Makes a pseudoterminal what it was, and opens all that the images have of it; `put` is given each
 * descriptor. With `keep` (it will be a session's controlling terminal) a slave stays open for that.
 *
 * 1. Hung up descriptions come first: the hang-up is for all that are open.
 * 2. Settings and content, while nobody else has it.
 * 3. The others are opened, by their paths.
 * 4. Last, what would have stood in the way: exclusive use, the lock.
 */
export function restorePair(
  made: NewPair,
  put: (entry: TtyEntry, fd: LocalFd) => void,
  keep: boolean,
): LocalFd | undefined {
  const { pair, master } = made
  tell(master, TIOC.SPTLCK, 0)
  const open = { ...made, peer: openPeer(master) }
  hangUp(open, put)
  if (!pair.master) {
    close(open.peer)
    close(master) // hangs up all slaves
    return undefined
  }
  const peer = openPeer(master)
  const ready = { ...made, peer }
  restoreState(ready)
  for (const entry of pair.files) if (!isHungUp(made, entry)) put(entry, openEntry(ready, entry))
  if (pair.slave?.exclusive) must('ioctl', peer, TIOC.EXCL, 0)
  if (pair.master.exclusive) must('ioctl', master, TIOC.EXCL, 0)
  if (!keep) closePeer(ready, ownNumber(pair.master, 'neverOpened') === 1)
  if (pair.master.locked) tell(master, TIOC.SPTLCK, 1)
  return keep ? peer : undefined
}

function closePeer({ master, peer }: OpenPair, neverOpened: boolean): void {
  if (neverOpened) closeUnnoticed(master, peer)
  else close(peer)
}

interface OpenPair extends NewPair {
  /** A slave of ours. */
  readonly peer: LocalFd
}

/** Images of upstream tell of no modes where a terminal was hung up. */
function isHungUp({ restore }: NewPair, entry: TtyEntry): boolean {
  if (ownNumber(entry, 'hungUp') === 1) return true
  return !terminalModel(restore).info(entry).termios
}

function hangUp(open: OpenPair, put: (entry: TtyEntry, fd: LocalFd) => void): void {
  const dead = open.pair.files.filter((entry) => isHungUp(open, entry))
  for (const entry of dead) put(entry, openEntry(open, entry))
  if (dead.length > 0) must('ioctl', open.peer, TIOC.VHANGUP, 0)
  close(open.peer)
}

function openEntry(open: OpenPair, entry: TtyEntry): LocalFd {
  const info = terminalModel(open.restore).info(entry)
  const { flags } = entry
  if (info === open.pair.master) {
    setFlags(open.master, flags)
    return open.master
  }
  const fd =
    info.type === TTY_TYPE.CTTY ? openCurrent(open.peer, openable(flags)) : openSlave(open, entry)
  setFlags(fd, flags)
  return fd
}

/** What open(2) takes of the flags; fcntl sets the others. */
const openable = (flags: number): number =>
  (flags & (O.ACCMODE | O.LARGEFILE | O.SYNC | O.DIRECTORY)) | O.NONBLOCK

/** By its path, where that leads to it; a bind mount or another /dev/pts may be in the way. */
function openSlave({ peer, master, restore }: OpenPair, entry: TtyEntry): LocalFd {
  const reg = terminalModel(restore).regOf(entry)
  const flags = openable(entry.flags)
  const found = reg && tryStat(reg.name)
  const own = tryStat(`/proc/self/fd/${peer}`)
  if (reg && found && found.rdev === own?.rdev && found.dev === own.dev)
    return openRegWith(reg, flags | O.NOCTTY, restore)
  return openPeer(master, flags)
}

function restoreState({ pair, master, peer, restore }: OpenPair): void {
  const info = pair.slave?.termios ? pair.slave : pair.master!
  restoreNode(pair, peer, restore)
  if (info.winsize) setSize(peer, info.winsize)
  if (info.termios) {
    const modes = modesIn(info.termios)
    const packet = pair.master!.packet_mode
    tell(master, TIOC.PKT, Number(packet))
    fill({ master, slave: peer, packet }, modes, contentOf(pair, restore))
  }
  if (info.termios_locked) setLocked(peer, info.termios_locked)
}

/** Owner and permissions of /dev/pts/N. */
function restoreNode({ slave, files }: PairModel, peer: LocalFd, restore: RestoreContext): void {
  if (!slave) return
  if (slave.uid !== undefined && slave.gid !== undefined) {
    const { uid, gid } = slave
    checked(sys('fchown', peer, uid, gid), 'fchown', { kind: 'terminal' })
  }
  const entry = files.find(({ tty_info_id }) => tty_info_id === slave.id)
  const mode = ownNumber(slave, 'mode') ?? (entry && terminalModel(restore).regOf(entry)?.mode)
  if (mode !== undefined) must('fchmod', peer, mode & PERMISSIONS)
}

const PERMISSIONS = 0o7777

function contentOf({ master, slave }: PairModel, { images }: RestoreContext): Content {
  const data = images.tryReadAll('tty-data') ?? []
  const input = data.find(({ tty_id }) => tty_id === slave?.id)
  const output = data.find(({ tty_id }) => tty_id === master?.id)
  const modes = (slave?.termios ?? master?.termios)!
  const bytes = input?.data ?? nothing.input
  const lines = input ? ownList(input, 'line').map(decodeLine) : []
  const isGuessed = lines.length === 0 && isCanonical(modesIn(modes))
  return {
    input: bytes,
    processed: (input && ownNumber(input, 'processed')) ?? bytes.length,
    lines: isGuessed ? guessLines(bytes) : lines,
    output: output?.data ?? nothing.output,
    packetStatus: ownNumber(master!, 'packetStatus') ?? 0,
    flow: ownNumber(master!, 'flow') ?? 0,
  }
}

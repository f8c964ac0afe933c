import type { Messages } from '../../images/gen/messages.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { connectOwner, O_ASYNC } from '../files/async.ts'
import { partOf } from '../files/entry-part.ts'
import { linkPath, tryFindPath } from '../files/lookup.ts'
import { ownerOf, restoreSignal } from '../files/owner.ts'
import { setFlags } from '../files/pipe-restore.ts'
import { refuseFile } from '../files/refuse.ts'
import { regEntryOf } from '../files/reg-entry.ts'
import { bookOf, type Side } from './book.ts'
import { deviceKind, TTY_TYPE } from './device.ts'
import { isHungUp } from './ends.ts'
import { inheritedName, openGiven, openOutside } from './outside-restore.ts'
import { withOwn } from './own-fields.ts'
import { terminalModel } from './restore-model.ts'
import { nameOf, settleTerminals } from './settle.ts'
import { terminalSet } from './terminal-set.ts'

type TtyEntry = Messages['tty_file_entry']

/** TTY and REG of fd_types. */
const TYPE = 11
const REG = 1

/**
 * Terminals. A pseudoterminal of the tree is made anew with its number, settings and content; of others
 * the tree has a part alone: that of a shell (`--shell-job`), one passed from outside (`--external`),
 * a console or a serial line, which has a path. What sessions have of them is in sessions.ts.
 */
export const terminal: FdKind = {
  tag: 'terminal',
  type: TYPE,
  recognise: ({ stat, link, flags }) =>
    (link.kind === 'path' || link.kind === 'unreachable') &&
    fileType(stat.mode) === 'char' &&
    (flags & O.PATH) === 0 &&
    deviceKind(Number(stat.rdev)) !== undefined,
  dump(probe, id, dump) {
    const kind = kindOf(probe, dump)
    if (kind === undefined) return undefined
    const tty_info_id = bookOf(dump).add(probe, id, kind, dump)
    const regId = dump.files.nextId()
    const name = tryFindPath(probe) ?? linkPath(probe)!
    dump.files.add({ type: REG, id: regId, reg: regEntryOf(probe, regId, name, dump) })
    const fown = ownerOf(probe, dump)
    const tty = { id, tty_info_id, flags: probe.flags, fown, regf_id: regId }
    return { tty: withOwn(tty, { hungUp: Number(isHungUp(probe.local)) }) }
  },
  finishDump: settleTerminals,

  inheritedAs(entry, restore) {
    const info = terminalModel(restore).info(partOf(entry, 'tty'))
    if (info.type !== TTY_TYPE.EXT) return undefined
    const name = inheritedName(info)
    return { name, needed: `external terminal ${name}` }
  },
  inherit(entry, given, restore) {
    const tty = partOf(entry, 'tty')
    return finished(tty, openGiven(given, tty, terminalModel(restore).info(tty), restore))
  },
  open(entry, restore) {
    const tty = partOf(entry, 'tty')
    const model = terminalModel(restore)
    const info = model.info(tty)
    if (model.pairOf(info)) return finished(tty, terminalSet(restore).take(tty))
    return finished(tty, openOutside(tty, info, restore))
  },
  connect(entry, fd, restore) {
    const tty = partOf(entry, 'tty')
    const { flags, fown } = tty
    const model = terminalModel(restore)
    if (model.pairOf(model.info(tty))) terminalSet(restore).handOver(restore)
    // One that is hung up knows no O_ASYNC.
    connectOwner(fd, entry.id, isHungUp(fd) ? flags & ~O_ASYNC : flags, fown, restore)
  },
}

/** Undefined: refused. */
function kindOf(probe: FdProbe, dump: DumpContext): Side['kind'] | undefined {
  const { rdev, dev } = probe.stat
  const isIt = (one: DumpContext['options']['external'][number]) =>
    one.kind === 'tty' && BigInt(one.rdev) === rdev && BigInt(one.dev) === dev
  if (dump.options.external?.some(isIt)) return 'external'
  const kind = deviceKind(Number(rdev))
  if (kind !== 'BSD pseudoterminal') return kind
  const remedy = 'have the program use /dev/ptmx: old ones can be opened by anybody meanwhile'
  refuseFile(dump, probe, `${kind} ${nameOf(probe)}`, remedy)
  return undefined
}

function finished({ flags, fown }: TtyEntry, fd: LocalFd): LocalFd {
  setFlags(fd, flags)
  restoreSignal(fd, fown)
  return fd
}

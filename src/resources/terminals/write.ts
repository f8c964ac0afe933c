import type { Messages } from '../../images/gen/messages.ts'
import { TIOC } from '../../kernel/constants/ioctl.ts'
import type { DumpContext } from '../dump-model.ts'
import { pathFromHere, tryLstat } from '../files/lookup.ts'
import {
  bookOf,
  type Description,
  liveOf,
  type Pair,
  type Side,
  type TerminalBook,
} from './book.ts'
import { type Content, encodeLine, nothing } from './content.ts'
import { type DeviceKind, MASTER_RDEV, slaveRdev, TTY_TYPE } from './device.ts'
import { takeContent } from './drain.ts'
import { ask, isLeft, isLocked, modesOf, setModes, tryAsk } from './ends.ts'
import { fill } from './fill.ts'
import { withOwn } from './own-fields.ts'
import { withPeer } from './peer.ts'
import {
  factsOfDevice,
  factsOfPair,
  groupIn,
  noSession,
  type SessionFacts,
} from './session-dump.ts'
import { settingsOf } from './settings.ts'

type InfoEntry = Messages['tty_info_entry']
type DataEntry = Messages['tty_data_entry']

/**
 * The images of all terminals, written once nothing can be refused any more: from here on what lies in
 * a pseudoterminal is taken out and put back at once. Killed in between (some microseconds, and only
 * where something does lie in one), we would take it with us.
 */
export function writeTerminals(dump: DumpContext): void {
  const book = bookOf(dump)
  const infos: InfoEntry[] = []
  const data: DataEntry[] = []
  for (const pair of book.pairs) {
    const { master } = pair.sides
    if (master) writeOwn(book, pair, master, dump, infos, data)
    else infos.push(...outsideEntries(pair, dump))
  }
  infos.push(...book.devices.map((side) => deviceEntry(side, dump)))
  if (infos.length > 0) dump.images.write('tty-info', infos)
  if (data.length > 0) dump.images.write('tty-data', data)
}

function writeOwn(
  book: TerminalBook,
  pair: Pair,
  master: Side,
  dump: DumpContext,
  infos: InfoEntry[],
  data: DataEntry[],
): void {
  const end = master.descriptions[0]!
  const facts = factsOfPair(end.probe.local, dump)
  const packet_mode = ask(end.probe.local, TIOC.GPKT) !== 0
  const slave = book.slaveOf(pair)
  const opened = liveOf(slave) ?? liveOf(pair.sides.current)
  const neverOpened = !opened && !isLeft(end.probe.local)
  const content = copyContent(end, opened, packet_mode) ?? nothing
  const settings = settingsOf(end.probe.local)
  const common = { ...facts, ...settings, type: TTY_TYPE.PTY, pty: { index: pair.index } }
  const locked = isLocked(end.probe.local)
  const { packetStatus, flow } = content
  const stat = placeOf(end)
  infos.push(
    withOwn(infoEntry(master, { ...common, ...stat, locked, packet_mode, rdev: MASTER_RDEV }), {
      pair: pair.number,
      packetStatus,
      flow,
      neverOpened: Number(neverOpened),
    }),
    slaveEntry(pair, slave, end, common, facts),
  )
  if (pair.sides.current) infos.push(currentEntry(pair, pair.sides.current, common))
  data.push(...dataEntries(content, master, slave))
}

/** Takes out what lies in it, and puts it back. */
function copyContent(
  { probe: { local: master } }: Description,
  opened: Description | undefined,
  packet: boolean,
): Content | undefined {
  const modes = modesOf(master)
  const copy = (slave: number): Content | undefined => {
    const ends = { master, slave, packet }
    try {
      const content = takeContent(ends)
      if (content) fill(ends, modes, content)
      return content
    } catch (error) {
      setModes(slave, modes)
      throw error
    }
  }
  return opened ? copy(opened.probe.local) : withPeer(master, copy)
}

function dataEntries(content: Content, master: Side, slave: Side): DataEntry[] {
  const { input, output, lines, processed } = content
  const entries: DataEntry[] = []
  if (input.length > 0 || lines.length > 0)
    entries.push(
      withOwn(
        { tty_id: slave.infoId, data: input },
        { line: lines.map(encodeLine), processed: processed < input.length ? processed : 0 },
      ),
    )
  if (output.length > 0) entries.push({ tty_id: master.infoId, data: output })
  return entries
}

type Facts = Partial<InfoEntry> & Pick<InfoEntry, 'type' | 'rdev'> & SessionFacts

/** The part that upstream knows too. */
const infoEntry = ({ infoId }: Side, { without: _, ...facts }: Facts): InfoEntry => ({
  locked: false,
  packet_mode: false,
  exclusive: false,
  ...facts,
  id: infoId,
})

/** Owner and file system of the file that a description was opened by. */
function placeOf({ probe: { stat } }: Description): Pick<InfoEntry, 'dev' | 'uid' | 'gid'> {
  return { dev: Number(stat.dev), uid: stat.uid, gid: stat.gid }
}

/** /dev/pts/N, whether anybody has it open or not. */
function slaveEntry(
  pair: Pair,
  slave: Side,
  { probe: { task } }: Description,
  common: Omit<Facts, 'rdev'>,
  { without }: SessionFacts,
): InfoEntry {
  const path = pathFromHere(task, `${pair.directory}/${pair.index}`)
  const stat = liveOf(slave)?.probe.stat ?? tryLstat(path)
  const local = liveOf(slave)?.probe.local
  const exclusive = local !== undefined && tryAsk(local, TIOC.GEXCL) === 1
  const { dev = pair.dev ?? 0n, uid = 0, gid = 0, mode = 0 } = stat ?? {}
  const rdev = Number(stat?.rdev ?? slaveRdev(pair.index))
  return withOwn(infoEntry(slave, { ...common, exclusive, rdev, dev: Number(dev), uid, gid }), {
    pair: pair.number,
    mode: mode & PERMISSIONS,
    without,
  })
}

const PERMISSIONS = 0o7777

/** /dev/tty; upstream finds its terminal by the session, we by the pair. */
function currentEntry(
  pair: Pair,
  side: Side,
  common: Partial<InfoEntry> & SessionFacts,
): InfoEntry {
  const first = side.descriptions[0]!
  const { rdev } = first.probe.stat
  const { pty: _, ...facts } = common
  const entry = { ...facts, ...placeOf(first), type: TTY_TYPE.CTTY, rdev: Number(rdev) }
  return withOwn(infoEntry(side, entry), { pair: pair.number })
}

/** Hung up ones of which the master is gone; the terminal of a shell. */
function outsideEntries(pair: Pair, dump: DumpContext): InfoEntry[] {
  const { slave, current } = pair.sides
  const of = (side: Side): InfoEntry => {
    const live = liveOf(side)
    const first = live ?? side.descriptions[0]!
    const facts = live ? { ...shellFacts(live, dump), ...settingsOf(live.probe.local) } : noSession
    const rdev = Number(first.probe.stat.rdev)
    const own = { pair: pair.number }
    if (side === current)
      return withOwn(
        infoEntry(side, { ...facts, ...placeOf(first), type: TTY_TYPE.CTTY, rdev }),
        live ? {} : own,
      )
    const type = TTY_TYPE.PTY
    const pty = { index: pair.index }
    const entry = infoEntry(side, { ...facts, ...placeOf(first), type, pty, rdev })
    return withOwn(entry, live ? {} : own)
  }
  return [slave, current].filter((side) => side !== undefined).map(of)
}

/** Session and group of a job are those of the shell, but where the leader is in the tree. */
function shellFacts({ probe }: Description, dump: DumpContext): SessionFacts {
  const { task, stat } = probe
  const facts = factsOfDevice(stat.rdev, dump)
  if (facts.sid !== 0) return facts
  const { session, tpgid } = task.stat
  const pgrp = tpgid > 0 ? groupIn(task, tpgid, dump) : 0
  return { sid: session, pgrp, without: [] }
}

const types: Partial<Record<DeviceKind | 'external', InfoEntry['type']>> = {
  external: TTY_TYPE.EXT,
  console: TTY_TYPE.CONSOLE,
  'virtual console': TTY_TYPE.VT,
  'serial line': TTY_TYPE.SERIAL,
}

function deviceEntry(side: Side, dump: DumpContext): InfoEntry {
  const live = liveOf(side)
  const first = live ?? side.descriptions[0]!
  const { rdev } = first.probe.stat
  const facts = factsOfDevice(rdev, dump)
  const settings = live && settingsOf(live.probe.local)
  const entry = { ...facts, ...settings, ...placeOf(first), rdev: Number(rdev) }
  const type = types[side.kind]!
  return withOwn(infoEntry(side, { ...entry, type }), { without: facts.without })
}

import { FIO, TIOC } from '../../kernel/constants/ioctl.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { majorOf, minorOf } from '../../kernel/proc/device.ts'
import { tryReadProcLink } from '../../kernel/proc/read.ts'
import { listPids, tryListFds, tryReadComm } from '../../kernel/proc/tasks.ts'
import { statFd } from '../../kernel/stat.ts'
import type { DumpContext, DumpTask, FdProbe } from '../dump-model.ts'
import { linkPath } from '../files/lookup.ts'
import { refuseFile } from '../files/refuse.ts'
import { bookOf, type Description, liveOf, type Pair } from './book.ts'
import { tryAsk } from './ends.ts'
import { isOpenElsewhere } from './peer.ts'
import { leaderOf, leads, sessionOf } from './session-dump.ts'
import { isTerminal } from './settings.ts'

/** Once all descriptors are known: refuses terminals that a restore could not make whole. */
export function settleTerminals(dump: DumpContext): void {
  const { pairs, devices } = bookOf(dump)
  for (const pair of pairs) {
    for (const side of Object.values(pair.sides)) refuseDiscipline(liveOf(side), dump)
    const { master } = pair.sides
    if (master) settleOwn(pair, master.descriptions[0]!, dump)
    else settleOutside(pair, dump)
  }
  for (const side of devices) refuseDiscipline(liveOf(side), dump)
  for (const task of dump.tasks) if (leads(task)) settleLeader(task, dump)
}

export const nameOf = (probe: FdProbe): string => displayPath(linkPath(probe) ?? probe.path)

/** N_TTY, the one that everything else here is about. */
const N_TTY = 0

function refuseDiscipline(description: Description | undefined, dump: DumpContext): void {
  if (!description) return
  const { probe } = description
  const discipline = tryAsk(probe.local, TIOC.GETD) ?? N_TTY
  if (discipline === N_TTY) return
  const what = `terminal ${nameOf(probe)} with line discipline ${discipline}`
  refuseFile(dump, probe, what, 'have the program set it back to N_TTY (TIOCSETD)')
}

/** A pseudoterminal of the tree: nobody else may have it. */
function settleOwn(pair: Pair, { probe, hungUp }: Description, dump: DumpContext): void {
  const what = `master of pseudoterminal ${pair.directory}/${pair.index}`
  if (hungUp) {
    refuseFile(dump, probe, `${what}, which was hung up`, 'let the program close it first')
    return
  }
  const session = sessionOf(probe.local)
  if (session !== 0 && !leaderOf(session, dump)) {
    const who = `session ${session} (${displayPath(tryReadComm(`/proc/${session}`) ?? 'gone')})`
    const remedy = `dump a tree that holds process ${session} too`
    refuseFile(dump, probe, `${what}, the terminal of ${who} outside of the tree`, remedy)
    return
  }
  const { slave, current } = pair.sides
  if (liveOf(slave) || liveOf(current) || !isOpenElsewhere(probe.local)) return
  const holder = findHolder(pair, dump)
  const who = holder === undefined ? '' : ` (${holder})`
  const remedy = 'dump a tree that holds both sides'
  refuseFile(dump, probe, `${what}, whose slave is open outside of the tree${who}`, remedy)
}

/** Some process outside of the tree that has the slave open, for the message. */
function findHolder({ directory, index }: Pair, dump: DumpContext): string | undefined {
  const ours = new Set<number>([process.pid, ...dump.tasks.map(({ pid }) => pid)])
  const path = `${directory}/${index}`
  const holder = listPids('/proc').find((pid) => !ours.has(pid) && holds(pid, path))
  if (holder === undefined) return undefined
  return `process ${holder}, ${displayPath(tryReadComm(`/proc/${holder}`) ?? '')}`
}

/** Also false for a process into which we may not look. */
function holds(pid: number, path: string): boolean {
  try {
    const fds = tryListFds(`/proc/${pid}`) ?? []
    return fds.some((fd) => tryReadProcLink(`/proc/${pid}/fd/${fd}`) === path)
  } catch {
    return false
  }
}

/** A slave whose master is elsewhere: the terminal of a shell, or refused. Hung up ones need none. */
function settleOutside({ sides }: Pair, dump: DumpContext): void {
  for (const side of [sides.slave, sides.current]) {
    const description = liveOf(side)
    if (!description) continue
    const { probe } = description
    const what = `terminal ${nameOf(probe)}`
    const ofShell = isOfShell(probe, dump) || isOurs(probe)
    if (ofShell && dump.options.shellJob) continue
    if (!ofShell && dump.client?.takesMasters) {
      refuseUnread(probe, dump)
      continue
    }
    if (ofShell) {
      const remedy = 'dump and restore with --shell-job'
      refuseFile(dump, probe, `${what}, shared with the shell`, remedy, '--shell-job')
      continue
    }
    const id = externalName(probe)
    const remedy = `dump a tree that holds its master, or with --external ${id}`
    const outside = `${what}, whose master is outside of the tree`
    refuseFile(dump, probe, outside, remedy, `--external ${id}`)
  }
}

/**
 * The client has the master, and will be given a new one (orphan_pts_master). What was typed lies with
 * the old one.
 */
function refuseUnread(probe: FdProbe, dump: DumpContext): void {
  if ((tryAsk(probe.local, FIO.NREAD) ?? 0) === 0) return
  const what = `terminal ${nameOf(probe)}, whose master is outside of the tree, with unread input`
  refuseFile(dump, probe, what, 'dump again once the program has read it')
}

/** The name of a terminal that is passed from outside: `tty[RDEV:DEV]`, in hexadecimal. */
export function externalName({ stat }: FdProbe): string {
  return `tty[${stat.rdev.toString(16)}:${stat.dev.toString(16)}]`
}

/** The controlling terminal of a session whose leader is outside of the tree. */
function isOfShell({ task, stat }: FdProbe, dump: DumpContext): boolean {
  const { ttyNr, session } = task.stat
  if (dump.tasks.some(({ pid }) => pid === session)) return false
  return BigInt(ttyNr) === stat.rdev || (ttyNr !== 0 && Number(stat.rdev) === CURRENT_RDEV)
}

/** /dev/tty: 5:0. */
const CURRENT_RDEV = 5 << 8

const isOurs = ({ stat }: FdProbe): boolean =>
  [0, 1, 2].some((fd) => isTerminal(fd) && statFd(fd).rdev === stat.rdev)

/** A leader with a terminal that nothing in the tree leads to: it could not be given back. */
function settleLeader(task: DumpTask, dump: DumpContext): void {
  const { ttyNr } = task.stat
  if (ttyNr === 0 || isKnown(task, dump)) return
  dump.refuse({
    pid: task.pid,
    comm: displayPath(task.stat.comm),
    where: 'task',
    what: `its controlling terminal ${majorOf(ttyNr)}:${minorOf(ttyNr)} is outside of the tree, and no descriptor leads to it`,
    remedy: 'dump a tree that holds its master, or start it with setsid, without a terminal',
  })
}

function isKnown(task: DumpTask, dump: DumpContext): boolean {
  const { pairs, devices } = bookOf(dump)
  const rdev = BigInt(task.stat.ttyNr)
  const isHere = ({ sides: { master, slave } }: Pair): boolean => {
    if (master) return sessionOf(master.descriptions[0]!.probe.local) === task.pid
    // A refusal of its own has been noted for it.
    return liveOf(slave)?.probe.stat.rdev === rdev
  }
  const leadsTo = (description: Description | undefined) => description?.probe.stat.rdev === rdev
  return pairs.some(isHere) || devices.some((side) => leadsTo(liveOf(side)))
}

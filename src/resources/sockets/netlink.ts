import type { Messages } from '../../images/gen/messages.ts'
import { ownFieldsOf, withOwnFields } from '../../images/own-fields.ts'
import { NETLINK_OPTION } from '../../kernel/constants/netlink.ts'
import { AF, SOCK, SOL } from '../../kernel/constants/socket.ts'
import { sockaddrNl } from '../../kernel/layout/netlink.ts'
import { setInt, tryGetOption } from '../../kernel/socket-option.ts'
import { must } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { setFlags } from '../events/anon.ts'
import { connectOwner } from '../files/async.ts'
import { partOf } from '../files/entry-part.ts'
import { ownerOf, restoreSignal } from '../files/owner.ts'
import { refuseFile } from '../files/refuse.ts'
import { nameSocket } from '../files/socket-name.ts'
import { callWith, localName } from './names.ts'
import { type NetlinkDiag, netlinkBook } from './netlink-diag.ts'
import { whyNetlinkRefused } from './netlink-refusals.ts'
import { dumpRows, flag, type OptionRow, restoreRows } from './option-table.ts'
import { dumpSocketOptions, finishSocketOptions, restoreSocketOptions } from './options.ts'
import { familyOf, protocolOf, typeOf } from './socket-kind.ts'

type NetlinkEntry = Messages['netlink_sk_entry']

/** NETLINKSK of fd_types. */
const TYPE = 13
/** State of a socket with a destination (linux/netlink.h); without one it is 0. */
const CONNECTED = 1
/** Our field: SOCK_DGRAM, where it is not SOCK_RAW. */
const SOCKET_TYPE = 15000
/** Our fields of options: this, and the option's own number. */
const OPTIONS = 15100
/** Bytes that a list of groups is asked for; generic netlink gives some hundred groups. */
const GROUPS_ROOM = 4096

const row = (name: keyof typeof NETLINK_OPTION): OptionRow<NetlinkEntry> => ({
  name: `NETLINK_${name}`,
  level: SOL.NETLINK,
  option: NETLINK_OPTION[name],
  form: flag,
  field: OPTIONS + NETLINK_OPTION[name],
  fresh: false,
})
const rows = [
  row('PKTINFO'),
  row('BROADCAST_ERROR'),
  row('NO_ENOBUFS'),
  row('LISTEN_ALL_NSID'),
  row('CAP_ACK'),
  row('EXT_ACK'),
  row('GET_STRICT_CHK'),
]

const book = netlinkBook()
/** A socket without a port is in no table, and has no destination. */
const unbound: NetlinkDiag = {
  state: 0,
  destination: { portid: 0, group: 0 },
  isDumping: false,
}

/** netlink(7): the port, the groups and the destination; what lies unread is refused. */
export const netlink: FdKind = {
  tag: 'netlink socket',
  type: TYPE,
  recognise: (probe) => familyOf(probe) === AF.NETLINK,
  dump(probe, id, dump) {
    const diag = book.of(probe, dump) ?? unbound
    const nlsk = describe(probe, id, diag, dump)
    const why = whyNetlinkRefused(probe, nlsk, diag)
    if (!why) return { nlsk }
    refuseFile(dump, probe, `${nameSocket(probe.local)} ${why.what}`, why.remedy)
    return undefined
  },

  open(file) {
    const entry = partOf(file, 'nlsk')
    const type = Number(ownFieldsOf(entry).get(SOCKET_TYPE) ?? SOCK.RAW)
    const fd = localFd(must('socket', AF.NETLINK, type | SOCK.CLOEXEC, entry.protocol))
    restoreSocketOptions(fd, entry.opts)
    restoreRows(fd, rows, entry)
    restoreNames(fd, entry)
    setFlags(fd, entry.flags)
    restoreSignal(fd, entry.fown)
    return fd
  },
  connect(entry, fd, restore) {
    const { flags, fown, opts } = partOf(entry, 'nlsk')
    finishSocketOptions(fd, opts)
    connectOwner(fd, entry.id, flags, fown, restore)
  },
}

function describe(
  probe: FdProbe,
  id: number,
  { state, destination }: NetlinkDiag,
  dump: DumpContext,
): NetlinkEntry {
  const { local, task, stat, flags } = probe
  const type = typeOf(local)
  const entry: NetlinkEntry = {
    id,
    ino: Number(BigInt.asUintN(32, stat.ino)),
    protocol: protocolOf(local),
    state,
    flags,
    portid: sockaddrNl.decode(localName(local)).pid,
    groups: groupsOf(local),
    dst_portid: destination.portid,
    dst_group: destination.group,
    fown: ownerOf(probe, dump),
    opts: dumpSocketOptions(probe, dump),
    ns_id: task.ids?.net_ns_id,
  }
  const own = type === SOCK.RAW ? [] : [[SOCKET_TYPE, BigInt(type)] as const]
  return dumpRows(local, rows, withOwnFields(entry, new Map(own)))
}

/** Every group that the socket is a member of: one bit each, 32 in a word, from group 1 on. */
function groupsOf(fd: LocalFd): number[] {
  const bytes = tryGetOption(fd, SOL.NETLINK, NETLINK_OPTION.LIST_MEMBERSHIPS, GROUPS_ROOM)!
  const words = new Uint32Array(bytes.slice().buffer, 0, bytes.length >>> 2)
  return [...words.subarray(0, words.findLastIndex((word) => word !== 0) + 1)]
}

function restoreNames(fd: LocalFd, entry: NetlinkEntry): void {
  const { portid, groups, state, dst_portid, dst_group } = entry
  if (portid !== 0) callWith('bind', fd, sockaddrNl.encode({ family: AF.NETLINK, pid: portid }))
  for (const [i, word] of groups.entries())
    for (let bit = 0; bit < 32; bit++) if (word & (1 << bit)) join(fd, 32 * i + bit + 1)
  if (state !== CONNECTED) return
  const mask = dst_group === 0 ? 0 : (1 << (dst_group - 1)) >>> 0
  const to = sockaddrNl.encode({ family: AF.NETLINK, pid: dst_portid, groups: mask })
  callWith('connect', fd, to)
}

function join(fd: LocalFd, group: number): void {
  setInt(fd, SOL.NETLINK, NETLINK_OPTION.ADD_MEMBERSHIP, group, 'NETLINK_ADD_MEMBERSHIP')
}

import type { Messages } from '../../images/gen/messages.ts'
import { PACKET } from '../../kernel/constants/packet.ts'
import { AF, SOCK, SOL } from '../../kernel/constants/socket.ts'
import { tryGetInt } from '../../kernel/socket-option.ts'
import { must } from '../../kernel/sys.ts'
import { localFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { setFlags } from '../events/anon.ts'
import { connectOwner } from '../files/async.ts'
import { partOf } from '../files/entry-part.ts'
import { ownerOf, restoreSignal } from '../files/owner.ts'
import { refuseFile } from '../files/refuse.ts'
import { nameSocket } from '../files/socket-name.ts'
import type { RestoreContext } from '../restore-model.ts'
import { dumpRows, restoreRows } from './option-table.ts'
import { dumpSocketOptions, finishSocketOptions, restoreSocketOptions } from './options.ts'
import { type PacketDiag, packetBook } from './packet-diag.ts'
import { packetRows } from './packet-options.ts'
import { whyPacketRefused } from './packet-refusals.ts'
import { bindPacket, joinFanout, joinMembers, restoreRings } from './packet-restore.ts'
import { hasRings, ringsLength } from './packet-ring.ts'
import { type RingContent, takeRings } from './packet-ring-dump.ts'
import type { Refusal } from './refusal.ts'
import { familyOf, typeOf } from './socket-kind.ts'

type PacketEntry = Messages['packet_sock_entry']

/** PACKETSK of fd_types. */
const TYPE = 10
/** `fanout` of a socket that is in no group. */
const NO_FANOUT = 0xffffffff

const book = packetBook()

/** packet(7). */
export const packet: FdKind = {
  tag: 'packet socket',
  type: TYPE,
  recognise: (probe) => familyOf(probe) === AF.PACKET,
  dump(probe, id, dump) {
    const diag = book.of(probe, dump)!
    const psk = describe(probe, id, diag, dump)
    const why = whyPacketRefused(probe, psk, diag) ?? whyRingsRefused(probe, psk, dump)
    if (!why) return { psk }
    refuseFile(dump, probe, `${nameSocket(probe.local)} ${why.what}`, why.remedy)
    return undefined
  },
  finishDump(dump) {
    const rings = taken.get(dump)
    if (rings) dump.images.write('criu-ts-packet', rings)
  },

  // What moves the rings of one is not to come to another: they receive once all are open.
  open(file, restore) {
    const entry = partOf(file, 'psk')
    // With its protocol it would receive from every device until it is bound to one.
    const protocol = entry.type === SOCK.PACKET ? entry.protocol : 0
    const fd = localFd(must('socket', AF.PACKET, entry.type | SOCK.CLOEXEC, protocol))
    restoreSocketOptions(fd, entry.opts)
    // The old type has none of them.
    if (entry.type !== SOCK.PACKET) {
      restoreRows(fd, packetRows, entry)
      restoreRings(fd, entry, contentOf(entry, restore))
    }
    // The filter comes before the first packet does.
    finishSocketOptions(fd, entry.opts)
    setFlags(fd, entry.flags)
    restoreSignal(fd, entry.fown)
    return fd
  },
  connect(entry, fd, restore) {
    const psk = partOf(entry, 'psk')
    bindPacket(fd, psk)
    joinMembers(fd, psk.mclist)
    if (psk.fanout !== undefined && psk.fanout !== NO_FANOUT) joinFanout(fd, psk.fanout)
    connectOwner(fd, entry.id, psk.flags, psk.fown, restore)
  },
}

/** Content of rings, for an image of its own. */
const taken = new WeakMap<DumpContext, RingContent[]>()
const read = new WeakMap<RestoreContext, readonly Messages['criuts_packet_ring'][]>()

function contentOf(entry: PacketEntry, restore: RestoreContext) {
  if (!hasRings(entry) || !restore.images.has('criu-ts-packet')) return undefined
  const all = read.get(restore) ?? restore.images.readAll('criu-ts-packet')
  read.set(restore, all)
  return all.find(({ id }) => id === entry.id)
}

/** Otherwise their content is taken. */
function whyRingsRefused(
  { local, stat }: FdProbe,
  entry: PacketEntry,
  dump: DumpContext,
): Refusal | undefined {
  if (!hasRings(entry)) return undefined
  const remedy = 'let the program close it first'
  const length = BigInt(ringsLength(entry))
  const maps = dump.tasks.flatMap((task) =>
    task.maps.filter(({ path }) => path === `socket:[${stat.ino}]`),
  )
  const isWhole = maps.every(({ start, end, shared }) => shared && end - start === length)
  if (!isWhole) return { what: 'whose ring is mapped in part, or privately', remedy }
  const content = takeRings(local, entry)
  if (typeof content === 'string') return { what: `with a ring ${content}`, remedy }
  taken.set(dump, [...(taken.get(dump) ?? []), content])
  return undefined
}

function describe(probe: FdProbe, id: number, diag: PacketDiag, dump: DumpContext): PacketEntry {
  const { local, task, flags } = probe
  const entry: PacketEntry = {
    id,
    type: typeOf(local),
    protocol: diag.protocol,
    flags,
    ifindex: diag.ifindex >>> 0,
    fown: ownerOf(probe, dump),
    opts: dumpSocketOptions(probe, dump),
    version: 0,
    reserve: 0,
    aux_data: false,
    orig_dev: false,
    vnet_hdr: false,
    loss: false,
    timestamp: 0,
    copy_thresh: diag.copyThreshold,
    mclist: diag.members,
    fanout: diag.hasFanout ? tryGetInt(local, SOL.PACKET, PACKET.FANOUT)! >>> 0 : NO_FANOUT,
    rx_ring: diag.receiveRing,
    tx_ring: diag.sendRing,
    ns_id: task.ids?.net_ns_id,
  }
  return dumpRows(local, packetRows, entry)
}

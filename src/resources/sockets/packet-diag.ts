import type { Messages } from '../../images/gen/messages.ts'
import { PACKET_DIAG, PACKET_SHOW } from '../../kernel/constants/packet.ts'
import { AF } from '../../kernel/constants/socket.ts'
import { decodeAll } from '../../kernel/layout/layout.ts'
import {
  packetDiagInfo,
  packetDiagMclist,
  packetDiagMsg,
  packetDiagReq,
  packetDiagRing,
} from '../../kernel/layout/packet.ts'
import { type Attributes, parseAttributes } from '../../kernel/netlink/attributes.ts'
import { dumpSockets } from '../../kernel/netlink/sock-diag.ts'
import { DiagBook } from './diag-book.ts'

/** What only sock_diag tells of a packet socket; members and rings as images have them. */
export interface PacketDiag {
  /** In network byte order, as socket(2) takes it. */
  readonly protocol: number
  /** A device that is gone is −1. */
  readonly ifindex: number
  readonly copyThreshold: number
  /** A membership that was asked for several times stands so often. */
  readonly members: Messages['packet_mclist'][]
  readonly hasFanout: boolean
  readonly receiveRing: Messages['packet_ring'] | undefined
  readonly sendRing: Messages['packet_ring'] | undefined
}

const { INFO, MCLIST, RING_CFG, FANOUT } = PACKET_SHOW

export const packetBook = (): DiagBook<PacketDiag> =>
  new DiagBook((namespace) => {
    const request = packetDiagReq.encode({
      sdiag_family: AF.PACKET,
      pdiag_show: INFO | MCLIST | RING_CFG | FANOUT,
    })
    const answers = dumpSockets(request, 'list packet sockets', namespace)
    return new Map(answers.map(({ body }) => tell(body)))
  })

function tell(body: Uint8Array): [inode: number, PacketDiag] {
  const { pdiag_ino, pdiag_num } = packetDiagMsg.decode(body)
  const told = parseAttributes(body, packetDiagMsg.size)
  const info = packetDiagInfo.decode(told.bytes(PACKET_DIAG.INFO)!)
  const diag = {
    protocol: ((pdiag_num & 0xff) << 8) | (pdiag_num >>> 8),
    ifindex: info.pdi_index | 0,
    copyThreshold: info.pdi_copy_thresh,
    members: membersOf(told.bytes(PACKET_DIAG.MCLIST)),
    hasFanout: told.has(PACKET_DIAG.FANOUT),
    receiveRing: ringOf(told, PACKET_DIAG.RX_RING),
    sendRing: ringOf(told, PACKET_DIAG.TX_RING),
  }
  return [pdiag_ino, diag]
}

function membersOf(list: Uint8Array = new Uint8Array()): Messages['packet_mclist'][] {
  // The newest stands first; they are to be asked for in the old order.
  const all = decodeAll(packetDiagMclist, list).reverse()
  return all.flatMap(({ pdmc_index, pdmc_count, pdmc_type, pdmc_alen, pdmc_addr }) => {
    const one = { index: pdmc_index, type: pdmc_type, addr: pdmc_addr.slice(0, pdmc_alen) }
    return Array.from({ length: pdmc_count }, () => one)
  })
}

function ringOf(told: Attributes, type: number): Messages['packet_ring'] | undefined {
  const bytes = told.bytes(type)
  if (!bytes) return undefined
  const ring = packetDiagRing.decode(bytes)
  return {
    block_size: ring.pdr_block_size,
    block_nr: ring.pdr_block_nr,
    frame_size: ring.pdr_frame_size,
    frame_nr: ring.pdr_frame_nr,
    retire_tmo: ring.pdr_retire_tmo,
    sizeof_priv: ring.pdr_sizeof_priv,
    features: ring.pdr_features,
  }
}

import { IPPROTO } from '../../kernel/constants/ip.ts'
import { AF, SO, SOCK, SOL } from '../../kernel/constants/socket.ts'
import { scratch } from '../../kernel/memory.ts'
import { setInt, tryGetInt } from '../../kernel/socket-option.ts'
import { checked, must, owned, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { EXEMPT_MARK } from '../../network-lock/nft-messages.ts'
import { type InetAddress, nameOfAddress } from './inet-address.ts'
import { unmapped } from './local-address.ts'

/** Bits of the byte of flags in a segment's header (RFC 9293). */
export const FLAG = { FIN: 1, PSH: 8, ACK: 16, URG: 32 } as const

const HEADER = 20
const [IPV4_HEADER, IPV6_HEADER] = [20, 40]
/** Packets that come from this host, and from no other. */
export const NEAREST_HOPS = 255

/** A segment as a peer would send it. */
export interface Segment {
  readonly from: InetAddress
  readonly to: InetAddress
  readonly seq: number
  readonly ack: number
  readonly flags: number
  /** As it stands in the header: shifted by the window scale. */
  readonly window: number
  readonly content?: Uint8Array
}

/**
 * Sends a segment to a socket of ours in the name of its peer: over loopback, past the lock of the
 * connection. What no option of repair brings back (a FIN, an urgent byte) a socket gets so.
 */
export function sendToOurselves(segment: Segment, socket: LocalFd): void {
  const [source, destination] = [segment.from, segment.to].map(({ address }) => unmapped(address))
  const packet = packetOf(segment, source!, destination!)
  const isIpv6 = destination!.length === 16
  const family = isIpv6 ? AF.INET6 : AF.INET
  using raw = owned(must('socket', family, SOCK.RAW | SOCK.CLOEXEC, IPPROTO.RAW))
  setInt(raw.fd, SOL.SOCKET, SO.MARK, EXEMPT_MARK, 'SO_MARK')
  // A socket that is bound to a device sees what seems to come from that.
  const device = tryGetInt(socket, SOL.SOCKET, SO.BINDTOIFINDEX) ?? 0
  if (device !== 0) setInt(raw.fd, SOL.SOCKET, SO.BINDTOIFINDEX, device, 'SO_BINDTOIFINDEX')
  using s = scratch()
  const scope = isIpv6 ? segment.to.scope : 0
  const to = s.put(nameOfAddress({ address: destination!, port: 0, scope }))
  const content = s.put(packet)
  checked(
    sys('sendto', raw.fd, content.address, packet.length, 0, to.address, to.bytes.length),
    'send a segment over loopback',
  )
}

function packetOf(segment: Segment, source: Uint8Array, destination: Uint8Array): Buffer {
  const tcp = segmentBytes(segment)
  const pseudo = Buffer.alloc(8)
  pseudo.writeUInt32BE(tcp.length, 0)
  pseudo.writeUInt32BE(IPPROTO.TCP, 4)
  tcp.writeUInt16BE(checksum(Buffer.concat([source, destination, pseudo, tcp])), 16)
  const header = source.length === 16 ? ipv6Header(tcp.length) : ipv4Header(tcp.length)
  header.set(source, header.length - 2 * source.length)
  header.set(destination, header.length - source.length)
  return Buffer.concat([header, tcp])
}

function segmentBytes({ from, to, seq, ack, flags, window, content }: Segment): Buffer {
  const tcp = Buffer.alloc(HEADER + (content?.length ?? 0))
  tcp.writeUInt16BE(from.port, 0)
  tcp.writeUInt16BE(to.port, 2)
  tcp.writeUInt32BE(seq >>> 0, 4)
  tcp.writeUInt32BE(ack >>> 0, 8)
  tcp.writeUInt8((HEADER / 4) << 4, 12)
  tcp.writeUInt8(flags, 13)
  tcp.writeUInt16BE(Math.min(window, 0xffff), 14)
  // The urgent pointer points behind the urgent byte, which is the segment's last.
  if (flags & FLAG.URG) tcp.writeUInt16BE(content!.length, 18)
  if (content) tcp.set(content, HEADER)
  return tcp
}

/** The kernel fills in what is 0: the checksum, and the identification. */
function ipv4Header(length: number): Buffer {
  const header = Buffer.alloc(IPV4_HEADER)
  header.writeUInt8((4 << 4) | (IPV4_HEADER / 4), 0)
  header.writeUInt16BE(IPV4_HEADER + length, 2)
  header.writeUInt8(NEAREST_HOPS, 8)
  header.writeUInt8(IPPROTO.TCP, 9)
  return header
}

function ipv6Header(length: number): Buffer {
  const header = Buffer.alloc(IPV6_HEADER)
  header.writeUInt8(6 << 4, 0)
  header.writeUInt16BE(length, 4)
  header.writeUInt8(IPPROTO.TCP, 6)
  header.writeUInt8(NEAREST_HOPS, 7)
  return header
}

/** RFC 1071: the ones' complement of the sum of all 16-bit words. */
function checksum(bytes: Buffer): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i++) sum += bytes[i]! << (i % 2 === 0 ? 8 : 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

import { IPPROTO } from '../../kernel/constants/ip.ts'
import type { Datagram } from './datagram-queue.ts'

const IPV4_HEADER = 20
const IPV6_HEADER = 40
const UDP_HEADER = 8

/** A datagram as a packet of IPv4 or IPv6, to a port of ours: RFC 768, 791, 8200; 3828 for UDP-Lite. */
export function packetOf(datagram: Datagram, port: number, protocol: number): Uint8Array {
  const { source, destination } = datagram
  const udp = udpOf(datagram, port, protocol)
  const pseudo = pseudoHeader(source, destination, udp.length, protocol)
  const sum = checksum(pseudo, udp)
  // 0 says that there is none.
  udp.writeUInt16BE(sum === 0 ? 0xffff : sum, 6)
  const header = source.length === 4 ? ipv4Header : ipv6Header
  return Buffer.concat([header(datagram, udp.length, protocol), udp])
}

/** The third field is the length, or for UDP-Lite how much the checksum covers: 0 is all. */
function udpOf({ source_port, content }: Datagram, port: number, protocol: number): Buffer {
  const udp = Buffer.alloc(UDP_HEADER + content.length)
  udp.writeUInt16BE(source_port, 0)
  udp.writeUInt16BE(port, 2)
  udp.writeUInt16BE(protocol === IPPROTO.UDPLITE ? 0 : udp.length, 4)
  udp.set(content, UDP_HEADER)
  return udp
}

/** The kernel fills in what is 0: the checksum, and the identification. */
function ipv4Header({ source, destination, ttl, tos }: Datagram, length: number, protocol: number) {
  const header = Buffer.alloc(IPV4_HEADER)
  header.writeUInt8((4 << 4) | (IPV4_HEADER / 4), 0)
  header.writeUInt8(tos, 1)
  header.writeUInt16BE(IPV4_HEADER + length, 2)
  header.writeUInt8(ttl, 8)
  header.writeUInt8(protocol, 9)
  header.set(source, 12)
  header.set(destination, 16)
  return header
}

function ipv6Header({ source, destination, ttl, tos }: Datagram, length: number, protocol: number) {
  const header = Buffer.alloc(IPV6_HEADER)
  header.writeUInt32BE(((6 << 28) | (tos << 20)) >>> 0, 0)
  header.writeUInt16BE(length, 4)
  header.writeUInt8(protocol, 6)
  header.writeUInt8(ttl, 7)
  header.set(source, 8)
  header.set(destination, 24)
  return header
}

/** What the checksum covers beside the packet itself. */
function pseudoHeader(
  source: Uint8Array,
  destination: Uint8Array,
  length: number,
  protocol: number,
): Buffer {
  const tail = Buffer.alloc(8)
  tail.writeUInt32BE(length, 0)
  tail.writeUInt32BE(protocol, 4)
  return Buffer.concat([source, destination, tail])
}

/** RFC 1071: the ones' complement of the sum of all 16-bit words. */
export function checksum(...parts: readonly Buffer[]): number {
  let sum = 0
  for (const part of parts) {
    for (let i = 0; i + 1 < part.length; i += 2) sum += part.readUInt16BE(i)
    if (part.length % 2 === 1) sum += part[part.length - 1]! << 8
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return ~sum & 0xffff
}

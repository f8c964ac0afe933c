import type { Messages } from '../../images/gen/messages.ts'
import { SIOC } from '../../kernel/constants/ioctl.ts'
import { PACKET } from '../../kernel/constants/packet.ts'
import { POLL } from '../../kernel/constants/poll.ts'
import { AF, MSG, SOCK, SOL } from '../../kernel/constants/socket.ts'
import { IFF } from '../../kernel/constants/tun.ts'
import { pollfd } from '../../kernel/layout/files.ts'
import { sockaddrLl } from '../../kernel/layout/packet.ts'
import { scratch } from '../../kernel/memory.ts'
import { setInt } from '../../kernel/socket-option.ts'
import { must, owned, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'

/** Packets that waited in the queue of a TUN or TAP device, as its reader gets them. */
export type QueuedPackets = Messages['criuts_tun_queue']

/** A packet with its headers, of a device with offloads too. */
const ROOM = 1 << 17

function isReadable(fd: LocalFd): boolean {
  using s = scratch()
  const request = s.put(pollfd.encode({ fd, events: POLL.IN }))
  must('poll', request.address, 1, 0)
  return (pollfd.read(request.view, 0).revents & POLL.IN) !== 0
}

/** Takes all that waits: nothing else shows it. */
export function takePackets(fd: LocalFd): Uint8Array[] {
  const packets: Uint8Array[] = []
  using s = scratch()
  const room = s.takeDirty(ROOM)
  while (isReadable(fd)) {
    // With a place of its own: read would move the description's.
    const length = sys('pread64', fd, room.address, ROOM, 0)
    if (length <= 0) break
    packets.push(room.bytes.slice(0, length))
  }
  return packets
}

/** sizeof(struct tun_pi): flags, and the protocol. */
const PACKET_INFO = 4
/** sizeof(struct virtio_net_hdr). */
const VNET_HEADER = 10

/**
 * Sends packets out by a device, past its queueing discipline: they come to its reader. Which of several
 * queues they come into is the kernel's choice.
 */
export function giveBack({ device, flags, header_size, packets }: QueuedPackets): void {
  if (packets.length === 0) return
  using socket = owned(must('socket', AF.PACKET, SOCK.RAW | SOCK.CLOEXEC, 0))
  setInt(socket.fd, SOL.PACKET, PACKET.QDISC_BYPASS, 1, 'PACKET_QDISC_BYPASS')
  if (flags & IFF.VNET_HDR) setInt(socket.fd, SOL.PACKET, PACKET.VNET_HDR, 1, 'PACKET_VNET_HDR')
  const ifindex = indexOf(socket.fd, device)
  for (const packet of packets) {
    const info = flags & IFF.NO_PI ? 0 : PACKET_INFO
    const header =
      flags & IFF.VNET_HDR ? packet.subarray(info, info + VNET_HEADER) : packet.subarray(0, 0)
    const data = packet.subarray(info + (flags & IFF.VNET_HDR ? header_size : 0))
    using s = scratch()
    const { address } = s.put(Buffer.concat([header, data]))
    const protocol = swap(info ? wordAt(packet, 2) : protocolOf(data, flags))
    const to = s.put(sockaddrLl.encode({ family: AF.PACKET, ifindex, protocol, halen: 6 }))
    const length = header.length + data.length
    must('sendto', socket.fd, address, length, MSG.DONTWAIT, to.address, to.bytes.length)
  }
}

/** ETH_P_IPV6, ETH_P_IP (linux/if_ether.h), by the version of IP; or behind two addresses of Ethernet. */
function protocolOf(data: Uint8Array, flags: number): number {
  if (flags & IFF.TAP) return wordAt(data, 12)
  return data[0]! >>> 4 === 6 ? 0x86dd : 0x0800
}

const wordAt = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!

const swap = (protocol: number): number => ((protocol & 0xff) << 8) | (protocol >>> 8)

/** struct ifreq: a name of 16 bytes, then the number. */
function indexOf(fd: LocalFd, device: string): number {
  using s = scratch()
  const request = s.take(40)
  request.bytes.set(Buffer.from(device, 'latin1').subarray(0, 15))
  must('ioctl', fd, SIOC.GIFINDEX, request.address)
  return request.view.getInt32(16, true)
}

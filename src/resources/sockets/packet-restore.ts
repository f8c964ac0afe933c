import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { SIOC } from '../../kernel/constants/ioctl.ts'
import { PACKET } from '../../kernel/constants/packet.ts'
import { AF, SOCK, SOL } from '../../kernel/constants/socket.ts'
import { Errno } from '../../kernel/errno.ts'
import {
  packetMreqMax,
  sockaddrDevice,
  sockaddrLl,
  tpacketReq,
  tpacketReq3,
} from '../../kernel/layout/packet.ts'
import { scratch } from '../../kernel/memory.ts'
import { intBytes, trySetOption } from '../../kernel/socket-option.ts'
import { checked, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { tryCallWith } from './names.ts'
import { fillRings } from './packet-ring-restore.ts'

type PacketEntry = Messages['packet_sock_entry']

/** TPACKET_V3 (linux/if_packet.h); its rings have blocks that are given over by time. */
const TPACKET_V3 = 2

/** From here on it receives. */
export function bindPacket(fd: LocalFd, { type, protocol, ifindex }: PacketEntry): void {
  if (protocol === 0 && ifindex === 0) return
  const isOld = type === SOCK.PACKET
  if (isOld && ifindex === 0) return
  const name = isOld
    ? sockaddrDevice.encode({ family: AF.PACKET, data: deviceName(fd, ifindex) })
    : sockaddrLl.encode({ family: AF.PACKET, protocol, ifindex })
  const result = tryCallWith('bind', fd, name)
  if (result === -Errno.ENODEV) noDevice(ifindex)
  checked(result, 'bind', { kind: 'packet socket' })
}

function noDevice(ifindex: number): never {
  const reason = `a packet socket is bound to network device ${ifindex}, which is not there`
  return fail({ code: 'conflict', reason })
}

/** struct ifreq: a name of 16 bytes, then the number. */
function deviceName(fd: LocalFd, ifindex: number): Uint8Array {
  using s = scratch()
  const request = s.take(40)
  request.view.setInt32(16, ifindex, true)
  if (sys('ioctl', fd, SIOC.GIFNAME, request.address) < 0) noDevice(ifindex)
  return request.bytes.slice(0, 14)
}

export function joinMembers(fd: LocalFd, members: PacketEntry['mclist']): void {
  for (const { index, type, addr } of members) {
    const value = packetMreqMax.encode({ ifindex: index, type, alen: addr.length, address: addr })
    set(fd, 'ADD_MEMBERSHIP', value)
  }
}

/** The group that shares packets out among its sockets; only who receives can join. */
export const joinFanout = (fd: LocalFd, value: number): void => set(fd, 'FANOUT', intBytes(value))

/** Images of upstream have no content. */
export function restoreRings(
  fd: LocalFd,
  entry: PacketEntry,
  content: Messages['criuts_packet_ring'] | undefined,
): void {
  if (entry.rx_ring) set(fd, 'RX_RING', ringRequest(entry.version, entry.rx_ring))
  if (entry.tx_ring) set(fd, 'TX_RING', ringRequest(entry.version, entry.tx_ring))
  if (content) fillRings(fd, entry, content)
  if (entry.copy_thresh !== 0) set(fd, 'COPY_THRESH', intBytes(entry.copy_thresh))
}

function ringRequest(version: number, ring: Messages['packet_ring']): Uint8Array {
  const { retire_tmo, sizeof_priv, features, ...size } = ring
  if (version !== TPACKET_V3) return tpacketReq.encode(size)
  return tpacketReq3.encode({
    ...size,
    retire_blk_tov: retire_tmo,
    sizeof_priv,
    feature_req_word: features,
  })
}

function set(fd: LocalFd, option: keyof typeof PACKET, value: Uint8Array): void {
  checked(trySetOption(fd, SOL.PACKET, PACKET[option], value), `setsockopt PACKET_${option}`)
}

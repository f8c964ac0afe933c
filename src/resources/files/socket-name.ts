import { scratch } from '../../kernel/memory.ts'
import { sys } from '../../kernel/sys.ts'

/** Levels and options of socket(7), asm-generic/socket.h. */
const SOL_SOCKET = 1
const SO = { TYPE: 3, PROTOCOL: 38, DOMAIN: 39 } as const

/** linux/socket.h. */
const families = [
  'AF_UNSPEC',
  'AF_UNIX',
  'AF_INET',
  'AF_AX25',
  'AF_IPX',
  'AF_APPLETALK',
  'AF_NETROM',
  'AF_BRIDGE',
  'AF_ATMPVC',
  'AF_X25',
  'AF_INET6',
  'AF_ROSE',
  'AF_DECnet',
  'AF_NETBEUI',
  'AF_SECURITY',
  'AF_KEY',
  'AF_NETLINK',
  'AF_PACKET',
  'AF_ASH',
  'AF_ECONET',
  'AF_ATMSVC',
  'AF_RDS',
  'AF_SNA',
  'AF_IRDA',
  'AF_PPPOX',
  'AF_WANPIPE',
  'AF_LLC',
  'AF_IB',
  'AF_MPLS',
  'AF_CAN',
  'AF_TIPC',
  'AF_BLUETOOTH',
  'AF_IUCV',
  'AF_RXRPC',
  'AF_ISDN',
  'AF_PHONET',
  'AF_IEEE802154',
  'AF_CAIF',
  'AF_ALG',
  'AF_NFC',
  'AF_VSOCK',
  'AF_KCM',
  'AF_QIPCRTR',
  'AF_SMC',
  'AF_XDP',
  'AF_MCTP',
] as const

const types = new Map<number, string>([
  [1, 'SOCK_STREAM'],
  [2, 'SOCK_DGRAM'],
  [3, 'SOCK_RAW'],
  [4, 'SOCK_RDM'],
  [5, 'SOCK_SEQPACKET'],
  [6, 'SOCK_DCCP'],
  [10, 'SOCK_PACKET'],
])

export const familyName = (family: number): string => families[family] ?? `AF ${family}`
export const typeName = (type: number): string => types.get(type) ?? `type ${type}`

/** Protocols of the internet families beside TCP and UDP (linux/in.h). */
const protocols = new Map<number, string>([
  [1, 'IPPROTO_ICMP'],
  [33, 'IPPROTO_DCCP'],
  [58, 'IPPROTO_ICMPV6'],
  [115, 'IPPROTO_L2TP'],
  [132, 'IPPROTO_SCTP'],
  [136, 'IPPROTO_UDPLITE'],
  [256, 'IPPROTO_SMC'],
  [262, 'IPPROTO_MPTCP'],
])
/** TCP and UDP. */
const USUAL = [6, 17]

/** `socket (AF_INET, SOCK_STREAM)`, with the protocol where the type does not say it. */
export function nameSocket(fd: number): string {
  const [family, type, protocol] = [SO.DOMAIN, SO.TYPE, SO.PROTOCOL].map((name) => ask(fd, name))
  if (family === undefined || type === undefined) return 'socket'
  return `socket (${familyName(family)}, ${typeName(type)}${detailOf(family, type, protocol)})`
}

function detailOf(family: number, type: number, protocol = 0): string {
  if (families[family] === 'AF_NETLINK' || typeName(type) === 'SOCK_RAW')
    return `, protocol ${protocol}`
  const isInternet = families[family] === 'AF_INET' || families[family] === 'AF_INET6'
  if (!isInternet || USUAL.includes(protocol)) return ''
  return `, ${protocols.get(protocol) ?? `protocol ${protocol}`}`
}

function ask(fd: number, option: number): number | undefined {
  using s = scratch()
  const value = s.take(4)
  const length = s.put(Uint8Array.of(4, 0, 0, 0))
  const result = sys('getsockopt', fd, SOL_SOCKET, option, value.address, length.address)
  return result < 0 ? undefined : value.view.getInt32(0, true)
}

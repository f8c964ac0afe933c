import type { Messages } from '../../images/gen/messages.ts'
import { IP, IPV6 } from '../../kernel/constants/ip.ts'
import { SO, SOCK, SOL } from '../../kernel/constants/socket.ts'
import { tryGetInt } from '../../kernel/socket-option.ts'
import type { LocalFd } from '../../kernel/types.ts'
import {
  dumpRows,
  flag,
  int,
  type OptionForm,
  type OptionRow,
  restoreRows,
  struct,
} from './option-table.ts'

/** Options of the levels SOL_IP and SOL_IPV6. */
export type IpOptions = Messages['ip_opts_entry']

/** Numbers of our fields are these, and an option's own number. */
const FIELDS = { ip: 15000, ipv6: 15100 } as const

/** Bytes of the options of an IPv4 packet, and of a header of IPv6 that carries some. */
const [MOST_OPTIONS, MOST_HEADER] = [40, 2048]

type Fresh = number | boolean | undefined

const ip = (
  name: keyof typeof IP,
  form: OptionForm,
  fresh: Fresh,
  field: OptionRow<IpOptions>['field'] = FIELDS.ip + IP[name],
): OptionRow<IpOptions> => row(`IP_${name}`, SOL.IP, IP[name], form, field, fresh)

const ipv6 = (name: keyof typeof IPV6, form: OptionForm, fresh: Fresh): OptionRow<IpOptions> =>
  row(`IPV6_${name}`, SOL.IPV6, IPV6[name], form, FIELDS.ipv6 + IPV6[name], fresh)

function row(
  name: string,
  level: number,
  option: number,
  form: OptionForm,
  field: OptionRow<IpOptions>['field'],
  fresh: Fresh,
): OptionRow<IpOptions> {
  return { name, level, option, form, field, ...(fresh !== undefined && { fresh }) }
}

/**
 * One line for each option that a program can set and read back. A socket of IPv6 has those of IPv4
 * as well, for its packets to addresses of that. What is no more than a flag of both (FREEBIND,
 * TRANSPARENT) stands once. Raw sockets' own stand with them.
 */
const rows: readonly OptionRow<IpOptions>[] = [
  ip('FREEBIND', flag, false, 'freebind'),
  ip('PKTINFO', flag, false, 'pktinfo'),
  ip('TOS', int, 0, 'tos'),
  ip('TTL', int, 64, 'ttl'),
  ip('OPTIONS', struct(MOST_OPTIONS), 0),
  ip('RECVOPTS', flag, false),
  ip('RETOPTS', flag, false),
  ip('MTU_DISCOVER', int, 1),
  ip('RECVERR', flag, false),
  ip('RECVTTL', flag, false),
  ip('RECVTOS', flag, false),
  ip('PASSSEC', flag, false),
  ip('TRANSPARENT', flag, false),
  ip('RECVORIGDSTADDR', flag, false),
  ip('MINTTL', int, 0),
  ip('CHECKSUM', flag, false),
  ip('BIND_ADDRESS_NO_PORT', flag, false),
  ip('RECVFRAGSIZE', flag, false),
  ip('RECVERR_RFC4884', flag, false),
  ip('MULTICAST_IF', int, 0),
  ip('MULTICAST_TTL', int, 1),
  ip('MULTICAST_LOOP', flag, true),
  ip('MULTICAST_ALL', flag, true),
  ip('UNICAST_IF', int, 0),
  ip('LOCAL_PORT_RANGE', int, 0),
  ipv6('2292PKTINFO', flag, false),
  ipv6('2292HOPOPTS', flag, false),
  ipv6('2292DSTOPTS', flag, false),
  ipv6('2292RTHDR', flag, false),
  ipv6('2292HOPLIMIT', flag, false),
  ipv6('FLOWINFO', flag, false),
  ipv6('UNICAST_HOPS', int, 64),
  ipv6('MULTICAST_IF', int, 0),
  ipv6('MULTICAST_HOPS', int, 1),
  ipv6('MULTICAST_LOOP', flag, true),
  ipv6('MTU_DISCOVER', int, 1),
  ipv6('RECVERR', flag, false),
  ipv6('MULTICAST_ALL', flag, true),
  ipv6('ROUTER_ALERT_ISOLATE', flag, false),
  ipv6('RECVERR_RFC4884', flag, false),
  ipv6('FLOWINFO_SEND', flag, false),
  ipv6('RECVPKTINFO', flag, false),
  ipv6('RECVHOPLIMIT', flag, false),
  ipv6('RECVHOPOPTS', flag, false),
  ipv6('HOPOPTS', struct(MOST_HEADER), 0),
  ipv6('RTHDRDSTOPTS', struct(MOST_HEADER), 0),
  ipv6('RECVRTHDR', flag, false),
  ipv6('RTHDR', struct(MOST_HEADER), 0),
  ipv6('RECVDSTOPTS', flag, false),
  ipv6('DSTOPTS', struct(MOST_HEADER), 0),
  ipv6('RECVPATHMTU', flag, false),
  ipv6('DONTFRAG', flag, false),
  ipv6('RECVTCLASS', flag, false),
  ipv6('TCLASS', int, 0),
  ipv6('AUTOFLOWLABEL', flag, true),
  ipv6('ADDR_PREFERENCES', int, 0x500),
  ipv6('MINHOPCOUNT', int, 0),
  ipv6('RECVORIGDSTADDR', flag, false),
  ipv6('UNICAST_IF', int, 0),
  ipv6('RECVFRAGSIZE', flag, false),
]
const ofIpv4 = rows.filter(({ level }) => level === SOL.IP)
/** A new socket of IPv6 has IP_MULTICAST_ALL off. */
const ofIpv6 = rows.map((one) => (one.name === 'IP_MULTICAST_ALL' ? { ...one, fresh: false } : one))

/** Streams cannot have these set; what they tell of them is of the packet that an accepted one began with. */
const notOfStreams = new Set([
  'IP_MULTICAST_IF',
  'IP_MULTICAST_TTL',
  'IPV6_MULTICAST_IF',
  'IPV6_MULTICAST_HOPS',
])

/** What a socket has of them; `isIpv6`: it is of AF_INET6. IPV6_V6ONLY has a field elsewhere. */
export function dumpIpOptions(fd: LocalFd, isIpv6: boolean): IpOptions {
  const ofFamily = isIpv6 ? ofIpv6 : ofIpv4
  const isStream = tryGetInt(fd, SOL.SOCKET, SO.TYPE) === SOCK.STREAM
  const all = isStream ? ofFamily.filter(({ name }) => !notOfStreams.has(name)) : ofFamily
  return dumpRows(fd, all, {})
}

/**
 * On a new socket: before it is bound, since some decide to what it can be, and before the options of
 * SOL_SOCKET, since IP_TOS changes SO_PRIORITY.
 */
export const restoreIpOptions = (fd: LocalFd, entry: IpOptions): void =>
  restoreRows(fd, rows, entry)

import type { Messages } from '../../images/gen/messages.ts'
import { IP, IPPROTO, IPV6 } from '../../kernel/constants/ip.ts'
import { SOL } from '../../kernel/constants/socket.ts'
import { ICMP_FILTER, SOL_ICMPV6 } from '../../kernel/constants/udp.ts'
import { tryGetOption, trySetOption } from '../../kernel/socket-option.ts'
import { checked } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { bytesOfNumbers, numbersOf } from './numbers.ts'
import { dumpRows, flag, int, type OptionRow, restoreRows } from './option-table.ts'

type RawOptions = Messages['ip_opts_raw_entry']

/** Our fields. That of upstream for IPV6_CHECKSUM has no room for its offset. */
const FIELD = { routerAlert: 15000, checksum: 15001, ipv6Header: 15002 } as const

const rows: readonly OptionRow<RawOptions>[] = [
  {
    name: 'IP_HDRINCL',
    level: SOL.IP,
    option: IP.HDRINCL,
    form: flag,
    field: 'hdrincl',
  },
  {
    name: 'IP_NODEFRAG',
    level: SOL.IP,
    option: IP.NODEFRAG,
    form: flag,
    field: 'nodefrag',
    fresh: false,
  },
  {
    name: 'IP_ROUTER_ALERT',
    level: SOL.IP,
    option: IP.ROUTER_ALERT,
    form: flag,
    field: FIELD.routerAlert,
    fresh: false,
  },
  {
    name: 'IPV6_HDRINCL',
    level: SOL.IPV6,
    option: IPV6.HDRINCL,
    form: flag,
    field: FIELD.ipv6Header,
  },
  {
    name: 'IPV6_CHECKSUM',
    level: SOL.IPV6,
    option: IPV6.CHECKSUM,
    form: int,
    field: FIELD.checksum,
  },
]

/** Bytes of struct icmp_filter and icmp6_filter: a bit for each type of message. */
const filters = [
  { name: 'ICMP_FILTER', level: SOL.RAW, proto: IPPROTO.ICMP, length: 4 },
  { name: 'ICMPV6_FILTER', level: SOL_ICMPV6, proto: IPPROTO.ICMPV6, length: 32 },
] as const

const filterOf = (proto: number) => filters.find((one) => one.proto === proto)

export function dumpRawOptions(fd: LocalFd, proto: number): RawOptions {
  const filter = filterOf(proto)
  const bytes = filter && tryGetOption(fd, filter.level, ICMP_FILTER, filter.length)
  return dumpRows(fd, rows, { icmpv_filter: bytes ? numbersOf(bytes) : [] })
}

export function restoreRawOptions(fd: LocalFd, proto: number, entry: RawOptions): void {
  restoreRows(fd, rows, entry)
  const filter = filterOf(proto)
  if (!filter || entry.icmpv_filter.length === 0) return
  const value = bytesOfNumbers(entry.icmpv_filter)
  checked(trySetOption(fd, filter.level, ICMP_FILTER, value), `setsockopt ${filter.name}`)
}

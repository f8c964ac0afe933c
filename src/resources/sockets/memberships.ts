import { fail } from '../../errors/error.ts'
import { decode, encode } from '../../images/codec.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { ownFieldsOf, withOwnFields } from '../../images/own-fields.ts'
import { IP } from '../../kernel/constants/ip.ts'
import { AF, SOL } from '../../kernel/constants/socket.ts'
import { MCAST, MCAST_MODE } from '../../kernel/constants/udp.ts'
import { trySetOption } from '../../kernel/socket-option.ts'
import { checked } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { tryDeviceAddress, tryDeviceIndex } from './devices.ts'
import { groupFilter, tryGetSources } from './group-filter.ts'
import { groupBook } from './groups.ts'
import type { InetEntry } from './inet-protocol.ts'

type Membership = Messages['criuts_membership']

/** Our field: criuts_memberships. Upstream loses them. */
const FIELD = 15400

const books: Readonly<Record<number, ReturnType<typeof groupBook>>> = {
  [AF.INET]: groupBook(AF.INET),
  [AF.INET6]: groupBook(AF.INET6),
}

/**
 * The entry with the multicast groups that its socket has joined (man 7 ip, ipv6). The kernel lists
 * the groups of each device, and tells of a socket and a group with which sources it has joined.
 */
export function withMemberships(probe: FdProbe, entry: InetEntry, dump: DumpContext): InetEntry {
  const families = entry.family === AF.INET6 ? [AF.INET, AF.INET6] : [AF.INET]
  const memberships = families.flatMap((family) => {
    const groups = books[family]!.of(probe, dump)
    return groups.flatMap(({ device, index, group }): Membership[] => {
      const found = tryGetSources(probe.local, index, group)
      return found ? [{ device, group, mode: found.mode, sources: found.sources }] : []
    })
  })
  if (memberships.length === 0) return entry
  return withOwnFields(entry, new Map([[FIELD, encode('criuts_memberships', { memberships })]]))
}

export function restoreMemberships(fd: LocalFd, entry: InetEntry): void {
  const bytes = ownFieldsOf(entry).get(FIELD)
  if (!(bytes instanceof Uint8Array)) return
  const { memberships } = decode('criuts_memberships', bytes, {
    file: 'files.img',
    entry: entry.id,
  })
  for (const membership of memberships) join(fd, membership)
}

function join(fd: LocalFd, { device, group, mode, sources }: Membership): void {
  const index = tryDeviceIndex(device)
  if (index === undefined) {
    const reason = `a socket has joined a multicast group on network device ${device}, which is not there`
    fail({ code: 'conflict', reason })
  }
  if (group.length === 4) {
    const value = ipMreqn(group, tryDeviceAddress(device) ?? new Uint8Array(4), index)
    checked(trySetOption(fd, SOL.IP, IP.ADD_MEMBERSHIP, value), 'setsockopt IP_ADD_MEMBERSHIP')
  } else {
    const value = groupFilter.request(index, group)
    checked(trySetOption(fd, SOL.IPV6, MCAST.JOIN_GROUP, value), 'setsockopt MCAST_JOIN_GROUP')
  }
  if (mode === MCAST_MODE.EXCLUDE && sources.length === 0) return
  const level = group.length === 4 ? SOL.IP : SOL.IPV6
  const filter = groupFilter.encode(index, group, mode, sources)
  checked(trySetOption(fd, level, MCAST.MSFILTER, filter), 'setsockopt MCAST_MSFILTER')
}

/**
 * struct ip_mreqn. A program may leave a group by the number of the device or by its address; what it
 * joined by is not told. With the first address of the device both ways work.
 */
function ipMreqn(group: Uint8Array, address: Uint8Array, index: number): Uint8Array {
  const value = Buffer.alloc(12)
  value.set(group, 0)
  value.set(address, 4)
  value.writeInt32LE(index, 8)
  return value
}

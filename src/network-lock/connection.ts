/** One end of a connection: an address of 4 or 16 bytes in network order, and a port. */
export interface Endpoint {
  readonly address: Uint8Array
  readonly port: number
}

/** A connection of TCP as its socket sees it. */
export interface Connection {
  readonly local: Endpoint
  readonly remote: Endpoint
}

/** The packets' own version of IP. */
export type IpVersion = 4 | 6

const IPV4_LENGTH = 4
/** ::ffff:0:0/96 (RFC 4291): a socket of AF_INET6 that speaks IPv4. */
const MAPPED_PREFIX = Buffer.from('00000000000000000000ffff', 'hex')

/** What the packets of a connection hold: a mapped address is one of IPv4 on the wire. */
export function onTheWire({ local, remote }: Connection): Connection {
  return { local: unmapped(local), remote: unmapped(remote) }
}

/** Of a connection as it is on the wire. */
export const versionOf = ({ local }: Connection): IpVersion =>
  local.address.length === IPV4_LENGTH ? 4 : 6

function unmapped(end: Endpoint): Endpoint {
  const { address, port } = end
  const prefix = address.subarray(0, MAPPED_PREFIX.length)
  if (address.length === IPV4_LENGTH || !MAPPED_PREFIX.equals(prefix)) return end
  return { address: address.subarray(MAPPED_PREFIX.length), port }
}

/** As iptables and people write it. */
export function addressText(address: Uint8Array): string {
  if (address.length === IPV4_LENGTH) return address.join('.')
  const groups = Array.from({ length: 8 }, (_, i) => (address[2 * i]! << 8) | address[2 * i + 1]!)
  return groups.map((group) => group.toString(16)).join(':')
}

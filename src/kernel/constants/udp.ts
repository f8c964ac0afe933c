/** linux/udp.h, man 7 udplite. */

/** Options of the level SOL_UDP, of UDP-Lite too. */
export const UDP = {
  CORK: 1,
  ENCAP: 100,
  NO_CHECK6_TX: 101,
  NO_CHECK6_RX: 102,
  SEGMENT: 103,
  GRO: 104,
} as const

/** Options of the level SOL_UDPLITE (include/net/udplite.h). */
export const UDPLITE = {
  SEND_CSCOV: 10,
  RECV_CSCOV: 11,
} as const
/** Level of the options of UDP-Lite: its number as a protocol. */
export const SOL_UDPLITE = 136

/** Multicast of both families (linux/in.h), levels SOL_IP and SOL_IPV6. */
export const MCAST = {
  JOIN_GROUP: 42,
  LEAVE_GROUP: 45,
  MSFILTER: 48,
} as const

/** Mode of a filter of sources (linux/in.h): MCAST_EXCLUDE, MCAST_INCLUDE. */
export const MCAST_MODE = {
  EXCLUDE: 0,
  INCLUDE: 1,
} as const

/** Option of the level SOL_RAW (linux/icmp.h); as ICMPV6_FILTER of the level SOL_ICMPV6 too. */
export const ICMP_FILTER = 1
/** Level of the options of ICMPv6: its number as a protocol. */
export const SOL_ICMPV6 = 58

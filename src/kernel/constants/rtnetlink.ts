/** linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h, linux/neighbour.h. */

/** Messages of NETLINK_ROUTE. */
export const RTM = {
  NEWLINK: 16,
  GETLINK: 18,
  SETLINK: 19,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  GETROUTE: 26,
  NEWNEIGH: 28,
  GETNEIGH: 30,
} as const

/** Attributes of a link. */
export const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  QDISC: 6,
  MASTER: 10,
  TXQLEN: 13,
  LINKINFO: 18,
  IFALIAS: 20,
  GROUP: 27,
  XDP: 43,
} as const

/** What IFLA_LINKINFO holds, and within it what a TUN/TAP device tells. */
export const IFLA_INFO = { DATA: 2 } as const
export const IFLA_TUN = { OWNER: 1, GROUP: 2, PI: 4 } as const
export const IFLA_XDP = { ATTACHED: 2 } as const

/** Attributes of an address. */
export const IFA = { ADDRESS: 1, LOCAL: 2 } as const

/** Attributes of a route. */
export const RTA = {
  OIF: 4,
  GATEWAY: 5,
  MULTIPATH: 9,
  CACHEINFO: 12,
  VIA: 18,
} as const

/** Who made a route: the kernel itself. */
export const RTPROT = { KERNEL: 2 } as const
/** The table of own addresses. */
export const RT_TABLE = { LOCAL: 255 } as const
/** A neighbour that was set by hand. */
export const NUD = { PERMANENT: 0x80 } as const

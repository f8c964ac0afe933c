/** linux/netlink.h, linux/sock_diag.h, linux/unix_diag.h, linux/netlink_diag.h. */

/** Protocols of AF_NETLINK. */
export const NETLINK = {
  ROUTE: 0,
  USERSOCK: 2,
  SOCK_DIAG: 4,
  NFLOG: 5,
  XFRM: 6,
  SELINUX: 7,
  ISCSI: 8,
  AUDIT: 9,
  FIB_LOOKUP: 10,
  CONNECTOR: 11,
  NETFILTER: 12,
  KOBJECT_UEVENT: 15,
  GENERIC: 16,
  CRYPTO: 21,
} as const

/** Socket options of the level SOL_NETLINK. */
export const NETLINK_OPTION = {
  ADD_MEMBERSHIP: 1,
  DROP_MEMBERSHIP: 2,
  PKTINFO: 3,
  BROADCAST_ERROR: 4,
  NO_ENOBUFS: 5,
  LISTEN_ALL_NSID: 8,
  LIST_MEMBERSHIPS: 9,
  CAP_ACK: 10,
  EXT_ACK: 11,
  GET_STRICT_CHK: 12,
} as const

/** Flags of a message; those above 0x80 mean one thing in GET, another in NEW requests. */
export const NLM_F = {
  REQUEST: 0x1,
  MULTI: 0x2,
  ACK: 0x4,
  ECHO: 0x8,
  DUMP_INTR: 0x10,
  DUMP_FILTERED: 0x20,
  ROOT: 0x100,
  MATCH: 0x200,
  ATOMIC: 0x400,
  DUMP: 0x300,
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
  CAPPED: 0x100,
  ACK_TLVS: 0x200,
} as const

/** Types of messages that every protocol has. */
export const NLMSG = {
  NOOP: 1,
  ERROR: 2,
  DONE: 3,
  OVERRUN: 4,
} as const

/** Attributes behind an error, with NETLINK_EXT_ACK. */
export const NLMSGERR_ATTR = {
  MSG: 1,
  OFFS: 2,
} as const

/** Bits of an attribute's type. */
export const NLA_F = {
  NESTED: 0x8000,
  NET_BYTEORDER: 0x4000,
} as const

/** Types of messages of NETLINK_SOCK_DIAG. */
export const SOCK_DIAG = {
  BY_FAMILY: 20,
} as const

/** What a request on unix sockets asks for: unix_diag_req.show. */
export const UDIAG_SHOW = {
  NAME: 0x1,
  VFS: 0x2,
  PEER: 0x4,
  ICONS: 0x8,
  RQLEN: 0x10,
  MEMINFO: 0x20,
  UID: 0x40,
} as const

/** Attributes of the answer. */
export const UNIX_DIAG = {
  NAME: 0,
  VFS: 1,
  PEER: 2,
  ICONS: 3,
  RQLEN: 4,
  MEMINFO: 5,
  SHUTDOWN: 6,
  UID: 7,
} as const

/** What a request on netlink sockets asks for: netlink_diag_req.ndiag_show. */
export const NDIAG_SHOW = {
  MEMINFO: 0x1,
  GROUPS: 0x2,
  FLAGS: 0x8,
} as const

/** sdiag_protocol for sockets of every protocol. */
export const NDIAG_PROTO_ALL = 0xff

/** Attributes of the answer. */
export const NETLINK_DIAG = {
  MEMINFO: 0,
  GROUPS: 1,
  FLAGS: 4,
} as const

/** Bits of NETLINK_DIAG_FLAGS. */
export const NDIAG_FLAG = {
  CB_RUNNING: 0x1,
} as const

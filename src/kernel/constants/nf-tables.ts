/** linux/netfilter.h, linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h. */

/** Families of tables: an `inet` table sees packets of IPv4 and IPv6. */
export const NFPROTO = {
  UNSPEC: 0,
  INET: 1,
  IPV4: 2,
  IPV6: 10,
} as const

/** Hooks of NFPROTO_INET, IPV4 and IPV6. */
export const NF_INET = {
  PRE_ROUTING: 0,
  LOCAL_IN: 1,
  FORWARD: 2,
  LOCAL_OUT: 3,
  POST_ROUTING: 4,
} as const

/** Verdicts. */
export const NF = {
  DROP: 0,
  ACCEPT: 1,
} as const

/** Subsystems of NETLINK_NETFILTER: the upper byte of a message's type. */
export const NFNL_SUBSYS = {
  NFTABLES: 10,
} as const

/** Messages of the subsystem NONE that enclose a transaction. */
export const NFNL_MSG = {
  BATCH_BEGIN: 0x10,
  BATCH_END: 0x11,
} as const

/** Messages of nf_tables. */
export const NFT_MSG = {
  NEWTABLE: 0,
  GETTABLE: 1,
  DELTABLE: 2,
  NEWCHAIN: 3,
  GETCHAIN: 4,
  DELCHAIN: 5,
  NEWRULE: 6,
  GETRULE: 7,
  DELRULE: 8,
  NEWSET: 9,
  GETSET: 10,
  DELSET: 11,
  NEWSETELEM: 12,
  GETSETELEM: 13,
  DELSETELEM: 14,
  NEWGEN: 15,
  GETGEN: 16,
} as const

/** Registers: VERDICT, the four of 16 bytes, and the first of the sixteen of 4 bytes. */
export const NFT_REG = {
  VERDICT: 0,
  '1': 1,
  '2': 2,
} as const
export const NFT_REG32_00 = 8

export const NFT_META = {
  MARK: 3,
  NFPROTO: 15,
  L4PROTO: 16,
} as const

export const NFT_PAYLOAD = {
  LL_HEADER: 0,
  NETWORK_HEADER: 1,
  TRANSPORT_HEADER: 2,
} as const

export const NFT_CMP = {
  EQ: 0,
  NEQ: 1,
} as const

/** Attributes, by the object that they describe. */
export const NFTA_TABLE = { NAME: 1, FLAGS: 2, USE: 3, HANDLE: 4, USERDATA: 6, OWNER: 7 } as const
export const NFTA_CHAIN = {
  TABLE: 1,
  HANDLE: 2,
  NAME: 3,
  HOOK: 4,
  POLICY: 5,
  USE: 6,
  TYPE: 7,
} as const
export const NFTA_HOOK = { HOOKNUM: 1, PRIORITY: 2 } as const
export const NFTA_SET = {
  TABLE: 1,
  NAME: 2,
  FLAGS: 3,
  KEY_TYPE: 4,
  KEY_LEN: 5,
  DESC: 9,
  ID: 10,
} as const
export const NFTA_SET_DESC = { SIZE: 1 } as const
export const NFTA_SET_ELEM_LIST = { TABLE: 1, SET: 2, ELEMENTS: 3, SET_ID: 4 } as const
export const NFTA_SET_ELEM = { KEY: 1 } as const
export const NFTA_RULE = { TABLE: 1, CHAIN: 2, HANDLE: 3, EXPRESSIONS: 4 } as const
export const NFTA_LIST = { ELEM: 1 } as const
export const NFTA_EXPR = { NAME: 1, DATA: 2 } as const
export const NFTA_DATA = { VALUE: 1, VERDICT: 2 } as const
export const NFTA_VERDICT = { CODE: 1 } as const
export const NFTA_META = { DREG: 1, KEY: 2 } as const
export const NFTA_CMP = { SREG: 1, OP: 2, DATA: 3 } as const
export const NFTA_PAYLOAD = { DREG: 1, BASE: 2, OFFSET: 3, LEN: 4 } as const
export const NFTA_LOOKUP = { SET: 1, SREG: 2, SET_ID: 4 } as const
export const NFTA_IMMEDIATE = { DREG: 1, DATA: 2 } as const

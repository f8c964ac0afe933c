/** linux/if_packet.h, linux/packet_diag.h. */

/** Options of the level SOL_PACKET. */
export const PACKET = {
  ADD_MEMBERSHIP: 1,
  DROP_MEMBERSHIP: 2,
  RX_RING: 5,
  STATISTICS: 6,
  COPY_THRESH: 7,
  AUXDATA: 8,
  ORIGDEV: 9,
  VERSION: 10,
  HDRLEN: 11,
  RESERVE: 12,
  TX_RING: 13,
  LOSS: 14,
  VNET_HDR: 15,
  TIMESTAMP: 17,
  FANOUT: 18,
  TX_HAS_OFF: 19,
  QDISC_BYPASS: 20,
  ROLLOVER_STATS: 21,
  FANOUT_DATA: 22,
  IGNORE_OUTGOING: 23,
  VNET_HDR_SZ: 24,
} as const

/** How a group shares packets out: bits 16 to 23 of PACKET_FANOUT. */
export const PACKET_FANOUT = {
  HASH: 0,
  LB: 1,
  CPU: 2,
  ROLLOVER: 3,
  RND: 4,
  QM: 5,
  CBPF: 6,
  EBPF: 7,
} as const

/** What a request on packet sockets asks for: packet_diag_req.pdiag_show. */
export const PACKET_SHOW = {
  INFO: 0x1,
  MCLIST: 0x2,
  RING_CFG: 0x4,
  FANOUT: 0x8,
  MEMINFO: 0x10,
  FILTER: 0x20,
} as const

/** Attributes of the answer. */
export const PACKET_DIAG = {
  INFO: 0,
  MCLIST: 1,
  RX_RING: 2,
  TX_RING: 3,
  FANOUT: 4,
  UID: 5,
  MEMINFO: 6,
  FILTER: 7,
} as const

/** packet_diag_info.pdi_flags. */
export const PDI = {
  RUNNING: 0x1,
  AUXDATA: 0x2,
  ORIGDEV: 0x4,
  VNETHDR: 0x8,
  LOSS: 0x10,
} as const

/** Whose a frame or block of a ring is, and how it came there: tp_status, block_status. */
export const TP_STATUS = {
  KERNEL: 0,
  USER: 0x1,
  BLK_TMO: 0x20,
  AVAILABLE: 0,
  SEND_REQUEST: 0x1,
  SENDING: 0x2,
  WRONG_FORMAT: 0x4,
} as const

/** PACKET_VERSION: the form of frames. */
export const TPACKET = {
  V1: 0,
  V2: 1,
  V3: 2,
} as const

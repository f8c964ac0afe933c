import { array, bytes, i32, layout, u8, u16, u32 } from './layout.ts'

/** struct sockaddr_ll (linux/if_packet.h). `protocol` is in network byte order. */
export const sockaddrLl = layout({
  family: u16,
  protocol: u16,
  ifindex: i32,
  hatype: u16,
  pkttype: u8,
  halen: u8,
  addr: bytes(8),
})

/** struct sockaddr as SOCK_PACKET takes it: the name of a device. */
export const sockaddrDevice = layout({ family: u16, data: bytes(14) })

/** MAX_ADDR_LEN (linux/netdevice.h). */
const MAX_ADDR_LEN = 32

/** struct packet_mreq_max of the kernel: packet_mreq with room for any hardware address. */
export const packetMreqMax = layout({
  ifindex: i32,
  type: u16,
  alen: u16,
  address: bytes(MAX_ADDR_LEN),
})

/** struct tpacket_req: rings of TPACKET_V1 and V2. */
export const tpacketReq = layout({ block_size: u32, block_nr: u32, frame_size: u32, frame_nr: u32 })

/** struct tpacket_req3. */
export const tpacketReq3 = layout({
  block_size: u32,
  block_nr: u32,
  frame_size: u32,
  frame_nr: u32,
  retire_blk_tov: u32,
  sizeof_priv: u32,
  feature_req_word: u32,
})

/** struct packet_diag_req (linux/packet_diag.h). */
export const packetDiagReq = layout({
  sdiag_family: u8,
  sdiag_protocol: u8,
  pad: u16,
  pdiag_ino: u32,
  pdiag_show: u32,
  pdiag_cookie: array(u32, 2),
})

/** struct packet_diag_msg; attributes follow. `pdiag_num` is the protocol, in host byte order. */
export const packetDiagMsg = layout({
  pdiag_family: u8,
  pdiag_type: u8,
  pdiag_num: u16,
  pdiag_ino: u32,
  pdiag_cookie: array(u32, 2),
})

/** struct packet_diag_info: PACKET_DIAG_INFO. */
export const packetDiagInfo = layout({
  pdi_index: u32,
  pdi_version: u32,
  pdi_reserve: u32,
  pdi_copy_thresh: u32,
  pdi_tstamp: u32,
  pdi_flags: u32,
})

/** struct packet_diag_mclist: one membership of PACKET_DIAG_MCLIST. */
export const packetDiagMclist = layout({
  pdmc_index: u32,
  pdmc_count: u32,
  pdmc_type: u16,
  pdmc_alen: u16,
  pdmc_addr: bytes(MAX_ADDR_LEN),
})

/** struct packet_diag_ring: PACKET_DIAG_RX_RING, PACKET_DIAG_TX_RING. */
export const packetDiagRing = layout({
  pdr_block_size: u32,
  pdr_block_nr: u32,
  pdr_frame_size: u32,
  pdr_frame_nr: u32,
  pdr_retire_tmo: u32,
  pdr_sizeof_priv: u32,
  pdr_features: u32,
})

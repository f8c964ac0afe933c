import { array, bytes, i32, layout, u8, u16, u32, u64 } from './layout.ts'

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

/** struct tpacket_hdr: the head of a frame of TPACKET_V1. */
export const tpacketHdr = layout({
  status: u64,
  len: u32,
  snaplen: u32,
  mac: u16,
  net: u16,
  sec: u32,
  usec: u32,
})

/** struct tpacket2_hdr. */
export const tpacket2Hdr = layout({
  status: u32,
  len: u32,
  snaplen: u32,
  mac: u16,
  net: u16,
  sec: u32,
  nsec: u32,
  vlan_tci: u16,
  vlan_tpid: u16,
  padding: bytes(4),
})

/** struct tpacket3_hdr: of a packet within a block, or of a frame to be sent. */
export const tpacket3Hdr = layout({
  next_offset: u32,
  sec: u32,
  nsec: u32,
  snaplen: u32,
  len: u32,
  status: u32,
  mac: u16,
  net: u16,
  variant: array(u32, 3),
  padding: bytes(8),
})

/** struct tpacket_block_desc with its struct tpacket_hdr_v1: the head of a block of TPACKET_V3. */
export const tpacketBlock = layout({
  version: u32,
  offset_to_priv: u32,
  block_status: u32,
  num_pkts: u32,
  offset_to_first_pkt: u32,
  blk_len: u32,
  seq_num: u64,
  ts_first_pkt: array(u32, 2),
  ts_last_pkt: array(u32, 2),
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

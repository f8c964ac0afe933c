import { array, bytes, layout, u8, u32, u64 } from './layout.ts'

/** struct tcp_info (linux/tcp.h) as Linux 5.4 has it: older ones end before, later ones have more. */
export const tcpInfo = layout({
  tcpi_state: u8,
  tcpi_ca_state: u8,
  tcpi_retransmits: u8,
  tcpi_probes: u8,
  tcpi_backoff: u8,
  tcpi_options: u8,
  /** tcpi_snd_wscale in the lower four bits, tcpi_rcv_wscale in the upper. */
  wscales: u8,
  flags: u8,
  tcpi_rto: u32,
  tcpi_ato: u32,
  tcpi_snd_mss: u32,
  tcpi_rcv_mss: u32,
  tcpi_unacked: u32,
  tcpi_sacked: u32,
  tcpi_lost: u32,
  tcpi_retrans: u32,
  tcpi_fackets: u32,
  tcpi_last_data_sent: u32,
  tcpi_last_ack_sent: u32,
  tcpi_last_data_recv: u32,
  tcpi_last_ack_recv: u32,
  tcpi_pmtu: u32,
  tcpi_rcv_ssthresh: u32,
  tcpi_rtt: u32,
  tcpi_rttvar: u32,
  tcpi_snd_ssthresh: u32,
  tcpi_snd_cwnd: u32,
  tcpi_advmss: u32,
  tcpi_reordering: u32,
  tcpi_rcv_rtt: u32,
  tcpi_rcv_space: u32,
  tcpi_total_retrans: u32,
  tcpi_pacing_rate: u64,
  tcpi_max_pacing_rate: u64,
  tcpi_bytes_acked: u64,
  tcpi_bytes_received: u64,
  tcpi_segs_out: u32,
  tcpi_segs_in: u32,
  tcpi_notsent_bytes: u32,
  tcpi_min_rtt: u32,
  tcpi_data_segs_in: u32,
  tcpi_data_segs_out: u32,
  tcpi_delivery_rate: u64,
  tcpi_busy_time: u64,
  tcpi_rwnd_limited: u64,
  tcpi_sndbuf_limited: u64,
  tcpi_delivered: u32,
  tcpi_delivered_ce: u32,
  tcpi_bytes_sent: u64,
  tcpi_bytes_retrans: u64,
  tcpi_dsack_dups: u32,
  tcpi_reord_seen: u32,
  tcpi_rcv_ooopack: u32,
  tcpi_snd_wnd: u32,
})

/** struct tcp_repair_opt: TCP_REPAIR_OPTIONS takes several. */
export const tcpRepairOpt = layout({ opt_code: u32, opt_val: u32 })

/** struct tcp_repair_window: TCP_REPAIR_WINDOW. */
export const tcpRepairWindow = layout({
  snd_wl1: u32,
  snd_wnd: u32,
  max_window: u32,
  rcv_wnd: u32,
  rcv_wup: u32,
})

/** struct inet_diag_sockid (linux/inet_diag.h); ports and addresses in network order. */
export const inetDiagSockid = layout({
  idiag_sport: bytes(2),
  idiag_dport: bytes(2),
  idiag_src: bytes(16),
  idiag_dst: bytes(16),
  idiag_if: u32,
  idiag_cookie: array(u32, 2),
})

/** struct inet_diag_req_v2. */
export const inetDiagReqV2 = layout({
  sdiag_family: u8,
  sdiag_protocol: u8,
  /** Bits 1 << (INET_DIAG - 1). */
  idiag_ext: u8,
  pad: u8,
  /** Bits 1 << TCP_STATE. */
  idiag_states: u32,
  id: inetDiagSockid,
})

/** struct inet_diag_msg; attributes follow. */
export const inetDiagMsg = layout({
  idiag_family: u8,
  idiag_state: u8,
  idiag_timer: u8,
  idiag_retrans: u8,
  id: inetDiagSockid,
  idiag_expires: u32,
  /** Of a listening socket: connections that wait to be accepted, and how many there may be. */
  idiag_rqueue: u32,
  idiag_wqueue: u32,
  idiag_uid: u32,
  idiag_inode: u32,
})

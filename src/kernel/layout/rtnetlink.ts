import { i32, layout, u8, u16, u32 } from './layout.ts'

/** struct ifinfomsg (linux/rtnetlink.h). */
export const ifinfomsg = layout({
  family: u8,
  _pad: u8,
  type: u16,
  index: i32,
  flags: u32,
  change: u32,
})

/** struct ifaddrmsg (linux/if_addr.h). */
export const ifaddrmsg = layout({ family: u8, prefixlen: u8, flags: u8, scope: u8, index: u32 })

/** struct rtmsg. */
export const rtmsg = layout({
  family: u8,
  dst_len: u8,
  src_len: u8,
  tos: u8,
  table: u8,
  protocol: u8,
  scope: u8,
  type: u8,
  flags: u32,
})

/** struct ndmsg (linux/neighbour.h). */
export const ndmsg = layout({
  family: u8,
  _pad1: u8,
  _pad2: u16,
  ifindex: i32,
  state: u16,
  flags: u8,
  type: u8,
})

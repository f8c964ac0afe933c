import { array, i32, layout, u8, u16, u32 } from './layout.ts'

/** struct sockaddr_nl (linux/netlink.h). */
export const sockaddrNl = layout({ family: u16, pad: u16, pid: u32, groups: u32 })

/** struct nlmsghdr: `len` counts the header; messages are aligned to 4. */
export const nlmsghdr = layout({ len: u32, type: u16, flags: u16, seq: u32, pid: u32 })

/** struct nlmsgerr: the answer to a request; −errno, and the head of what was asked. */
export const nlmsgerr = layout({ error: i32, msg: nlmsghdr })

/** struct nlattr: `len` counts the header; attributes are aligned to 4. */
export const nlattr = layout({ len: u16, type: u16 })

/** struct unix_diag_req (linux/unix_diag.h). */
export const unixDiagReq = layout({
  sdiag_family: u8,
  sdiag_protocol: u8,
  pad: u16,
  /** Bits 1 << TCP_STATE. */
  udiag_states: u32,
  udiag_ino: u32,
  udiag_show: u32,
  udiag_cookie: array(u32, 2),
})

/** struct unix_diag_msg; attributes follow. */
export const unixDiagMsg = layout({
  udiag_family: u8,
  udiag_type: u8,
  udiag_state: u8,
  pad: u8,
  udiag_ino: u32,
  udiag_cookie: array(u32, 2),
})

/** struct unix_diag_vfs: UNIX_DIAG_VFS. `dev` is the kernel's own MAJOR << 20 | MINOR. */
export const unixDiagVfs = layout({ udiag_vfs_ino: u32, udiag_vfs_dev: u32 })

/** struct unix_diag_rqlen: UNIX_DIAG_RQLEN. */
export const unixDiagRqlen = layout({ udiag_rqueue: u32, udiag_wqueue: u32 })

/** struct netlink_diag_req (linux/netlink_diag.h). */
export const netlinkDiagReq = layout({
  sdiag_family: u8,
  sdiag_protocol: u8,
  pad: u16,
  ndiag_ino: u32,
  ndiag_show: u32,
  ndiag_cookie: array(u32, 2),
})

/** struct netlink_diag_msg; attributes follow. */
export const netlinkDiagMsg = layout({
  ndiag_family: u8,
  ndiag_type: u8,
  ndiag_protocol: u8,
  ndiag_state: u8,
  ndiag_portid: u32,
  ndiag_dst_portid: u32,
  ndiag_dst_group: u32,
  ndiag_ino: u32,
  ndiag_cookie: array(u32, 2),
})

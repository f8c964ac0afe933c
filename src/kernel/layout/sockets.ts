import { i32, layout, pointer, u16, u32, u64 } from './layout.ts'

/** struct user_msghdr (include/linux/socket.h): sendmsg, recvmsg. */
export const msghdr = layout({
  name: pointer,
  namelen: i32,
  iov: pointer,
  iovlen: u64,
  control: pointer,
  controllen: u64,
  flags: u32,
})

/** struct cmsghdr; its data follows, padded to 8 bytes. `len` counts the header. */
export const cmsghdr = layout({ len: u64, level: i32, type: i32 })

/** struct ucred: SCM_CREDENTIALS, SO_PEERCRED. */
export const ucred = layout({ pid: i32, uid: u32, gid: u32 })

/** struct linger. */
export const linger = layout({ onoff: i32, linger: i32 })

/** Head of struct sockaddr_un; the path follows. */
export const sockaddrUn = layout({ family: u16 })

import { array, bytes, i16, i32, i64, layout, u8, u16, u32, u64 } from './layout.ts'
import { timespec } from './time.ts'

/** struct stat of x86-64 (asm/stat.h). */
export const stat = layout({
  dev: u64,
  ino: u64,
  nlink: u64,
  mode: u32,
  uid: u32,
  gid: u32,
  _pad0: u32,
  rdev: u64,
  size: i64,
  blksize: i64,
  blocks: i64,
  atime: timespec,
  mtime: timespec,
  ctime: timespec,
  _unused: array(i64, 3),
})

/** struct statx_timestamp (linux/stat.h). */
export const statxTimestamp = layout({ sec: i64, nsec: u32, _reserved: i32 })

/** struct statx: 256 bytes; mnt_id since Linux 5.8. */
export const statx = layout({
  mask: u32,
  blksize: u32,
  attributes: u64,
  nlink: u32,
  uid: u32,
  gid: u32,
  mode: u16,
  _spare0: u16,
  ino: u64,
  size: u64,
  blocks: u64,
  attributes_mask: u64,
  atime: statxTimestamp,
  btime: statxTimestamp,
  ctime: statxTimestamp,
  mtime: statxTimestamp,
  rdev_major: u32,
  rdev_minor: u32,
  dev_major: u32,
  dev_minor: u32,
  mnt_id: u64,
  dio_mem_align: u32,
  dio_offset_align: u32,
  _spare3: array(u64, 12),
})

/** struct statfs of x86-64 (asm-generic/statfs.h). */
export const statfs = layout({
  type: i64,
  bsize: i64,
  blocks: u64,
  bfree: u64,
  bavail: u64,
  files: u64,
  ffree: u64,
  fsid: array(i32, 2),
  namelen: i64,
  frsize: i64,
  flags: i64,
  spare: array(i64, 4),
})

/** struct open_how (linux/openat2.h). */
export const openHow = layout({ flags: u64, mode: u64, resolve: u64 })

/** struct fsxattr (linux/fs.h): FS_IOC_FSGETXATTR. */
export const fsxattr = layout({
  xflags: u32,
  extsize: u32,
  nextents: u32,
  projid: u32,
  cowextsize: u32,
  pad: bytes(8),
})

/** struct flock of x86-64, which is flock64 (asm-generic/fcntl.h). */
export const flock64 = layout({ type: i16, whence: i16, start: i64, len: i64, pid: i32 })

/** struct f_owner_ex. */
export const fOwnerEx = layout({ type: i32, pid: i32 })

/** Head of struct file_handle (man 2 open_by_handle_at); `bytes` bytes of handle follow. */
export const fileHandle = layout({ bytes: u32, type: i32 })

/** struct pollfd (asm-generic/poll.h). */
export const pollfd = layout({ fd: i32, events: i16, revents: i16 })

/** struct epoll_event, packed on x86-64 (linux/eventpoll.h). */
export const epollEvent = layout({ events: u32, data: u64 }, { packed: true })

/** struct mount_attr (linux/mount.h): mount_setattr. */
export const mountAttr = layout({ attr_set: u64, attr_clr: u64, propagation: u64, userns_fd: u64 })

/** struct winsize (asm-generic/termios.h). */
export const winsize = layout({ row: u16, col: u16, xpixel: u16, ypixel: u16 })

/** The kernel's struct termios (asm-generic/termbits.h): TCGETS. Shorter than the C library's. */
export const termios = layout({
  iflag: u32,
  oflag: u32,
  cflag: u32,
  lflag: u32,
  line: u8,
  cc: bytes(19),
})

/** struct termios2: TCGETS2, with the speeds. */
export const termios2 = layout({ ...termios.fields, ispeed: u32, ospeed: u32 })

/** struct fiemap (linux/fiemap.h): FS_IOC_FIEMAP; extents follow. */
export const fiemap = layout({
  start: u64,
  length: u64,
  flags: u32,
  /** How many extents the kernel wrote (out). */
  mapped_extents: u32,
  /** For how many there is room. */
  extent_count: u32,
  reserved: u32,
})

/** struct fiemap_extent: bytes of a file, and where they are. */
export const fiemapExtent = layout({
  logical: u64,
  physical: u64,
  length: u64,
  reserved64: array(u64, 2),
  flags: u32,
  reserved: array(u32, 3),
})

/** linux/fcntl.h, asm-generic/fcntl.h, linux/openat2.h; octal numbers of the headers in hexadecimal. */

/** Flags of open; LARGEFILE is what the kernel stores for every 64-bit open. */
export const O = {
  RDONLY: 0x0,
  WRONLY: 0x1,
  RDWR: 0x2,
  ACCMODE: 0x3,
  CREAT: 0x40,
  EXCL: 0x80,
  NOCTTY: 0x100,
  TRUNC: 0x200,
  APPEND: 0x400,
  NDELAY: 0x800,
  NONBLOCK: 0x800,
  DSYNC: 0x1000,
  DIRECT: 0x4000,
  LARGEFILE: 0x8000,
  DIRECTORY: 0x10000,
  NOFOLLOW: 0x20000,
  NOATIME: 0x40000,
  CLOEXEC: 0x80000,
  SYNC: 0x101000,
  PATH: 0x200000,
  TMPFILE: 0x410000,
} as const

/** Commands of fcntl. */
export const F = {
  DUPFD: 0,
  GETFD: 1,
  SETFD: 2,
  GETFL: 3,
  SETFL: 4,
  GETLK: 5,
  SETLK: 6,
  SETLKW: 7,
  SETOWN: 8,
  GETOWN: 9,
  SETSIG: 10,
  GETSIG: 11,
  SETOWN_EX: 15,
  GETOWN_EX: 16,
  GETOWNER_UIDS: 17,
  OFD_GETLK: 36,
  OFD_SETLK: 37,
  OFD_SETLKW: 38,
  SETLEASE: 1024,
  GETLEASE: 1025,
  NOTIFY: 1026,
  DUPFD_QUERY: 1027,
  CREATED_QUERY: 1028,
  CANCELLK: 1029,
  DUPFD_CLOEXEC: 1030,
  SETPIPE_SZ: 1031,
  GETPIPE_SZ: 1032,
  ADD_SEALS: 1033,
  GET_SEALS: 1034,
  GET_RW_HINT: 1035,
  SET_RW_HINT: 1036,
  GET_FILE_RW_HINT: 1037,
  SET_FILE_RW_HINT: 1038,
} as const

/** Types of locks and leases. */
export const F_LOCK = {
  RDLCK: 0,
  WRLCK: 1,
  UNLCK: 2,
} as const

/** Types of struct f_owner_ex. */
export const F_OWNER = {
  TID: 0,
  PID: 1,
  PGRP: 2,
} as const

/** Seals of memfds. */
export const F_SEAL = {
  SEAL: 0x1,
  SHRINK: 0x2,
  GROW: 0x4,
  WRITE: 0x8,
  FUTURE_WRITE: 0x10,
  EXEC: 0x20,
} as const

/** Flags of a descriptor. */
export const FD = {
  CLOEXEC: 0x1,
} as const

/** Operations of flock. */
export const LOCK = {
  SH: 0x1,
  EX: 0x2,
  NB: 0x4,
  UN: 0x8,
  MAND: 0x20,
  READ: 0x40,
  WRITE: 0x80,
  RW: 0xc0,
} as const

/** Directory descriptors and flags of the …at calls. */
export const AT = {
  SYMLINK_NOFOLLOW: 256,
  REMOVEDIR: 512,
  EACCESS: 512,
  HANDLE_FID: 512,
  SYMLINK_FOLLOW: 1024,
  NO_AUTOMOUNT: 2048,
  EMPTY_PATH: 4096,
  STATX_FORCE_SYNC: 8192,
  STATX_DONT_SYNC: 16384,
  RECURSIVE: 32768,
  FDCWD: -100,
} as const

/** How openat2 resolves. */
export const RESOLVE = {
  NO_XDEV: 0x1,
  NO_MAGICLINKS: 0x2,
  NO_SYMLINKS: 0x4,
  BENEATH: 0x8,
  IN_ROOT: 0x10,
  CACHED: 0x20,
} as const

/** Whence of lseek. */
export const SEEK = {
  SET: 0,
  CUR: 1,
  END: 2,
  DATA: 3,
  HOLE: 4,
} as const

/** linux/falloc.h: modes of fallocate. */
export const FALLOC_FL = { KEEP_SIZE: 0x1, PUNCH_HOLE: 0x2 } as const

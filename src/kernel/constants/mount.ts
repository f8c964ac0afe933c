/** linux/mount.h, linux/fs.h. */

/** Flags of mount(2). */
export const MS = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  SYNCHRONOUS: 0x10,
  REMOUNT: 0x20,
  MANDLOCK: 0x40,
  DIRSYNC: 0x80,
  NOSYMFOLLOW: 0x100,
  NOATIME: 0x400,
  NODIRATIME: 0x800,
  BIND: 0x1000,
  MOVE: 0x2000,
  REC: 0x4000,
  SILENT: 0x8000,
  POSIXACL: 0x10000,
  UNBINDABLE: 0x20000,
  PRIVATE: 0x40000,
  SLAVE: 0x80000,
  SHARED: 0x100000,
  RELATIME: 0x200000,
  I_VERSION: 0x800000,
  STRICTATIME: 0x1000000,
  LAZYTIME: 0x2000000,
} as const

/** Flags of umount2. */
export const MNT = {
  FORCE: 0x1,
  DETACH: 0x2,
  EXPIRE: 0x4,
} as const

/** Flag of umount2. */
export const UMOUNT = {
  NOFOLLOW: 0x8,
} as const

/** Flags of open_tree, with AT_…. */
export const OPEN_TREE = {
  CLONE: 0x1,
  CLOEXEC: 0x80000,
} as const

/** Flags of move_mount. */
export const MOVE_MOUNT = {
  F_SYMLINKS: 0x1,
  F_AUTOMOUNTS: 0x2,
  F_EMPTY_PATH: 0x4,
  T_SYMLINKS: 0x10,
  T_AUTOMOUNTS: 0x20,
  T_EMPTY_PATH: 0x40,
  SET_GROUP: 0x100,
  BENEATH: 0x200,
} as const

/** Flags of fsopen. */
export const FSOPEN = {
  CLOEXEC: 0x1,
} as const

/** Flags of fsmount. */
export const FSMOUNT = {
  CLOEXEC: 0x1,
} as const

/** Flags of fspick. */
export const FSPICK = {
  CLOEXEC: 0x1,
  SYMLINK_NOFOLLOW: 0x2,
  NO_AUTOMOUNT: 0x4,
  EMPTY_PATH: 0x8,
} as const

/** Commands of fsconfig. */
export const FSCONFIG = {
  SET_FLAG: 0,
  SET_STRING: 1,
  SET_BINARY: 2,
  SET_PATH: 3,
  SET_PATH_EMPTY: 4,
  SET_FD: 5,
  CMD_CREATE: 6,
  CMD_RECONFIGURE: 7,
  CMD_CREATE_EXCL: 8,
} as const

/** Attributes of fsmount and mount_setattr. */
export const MOUNT_ATTR = {
  RELATIME: 0x0,
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  NOATIME: 0x10,
  STRICTATIME: 0x20,
  _ATIME: 0x70,
  NODIRATIME: 0x80,
  IDMAP: 0x100000,
  NOSYMFOLLOW: 0x200000,
} as const

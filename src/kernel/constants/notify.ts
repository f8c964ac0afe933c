/** linux/inotify.h, linux/fanotify.h. */

/** Events and flags of inotify_add_watch (man 7 inotify). */
export const IN = {
  ACCESS: 0x1,
  MODIFY: 0x2,
  ATTRIB: 0x4,
  CLOSE_WRITE: 0x8,
  CLOSE_NOWRITE: 0x10,
  OPEN: 0x20,
  MOVED_FROM: 0x40,
  MOVED_TO: 0x80,
  CREATE: 0x100,
  DELETE: 0x200,
  DELETE_SELF: 0x400,
  MOVE_SELF: 0x800,
  UNMOUNT: 0x2000,
  Q_OVERFLOW: 0x4000,
  IGNORED: 0x8000,
  ONLYDIR: 0x1000000,
  DONT_FOLLOW: 0x2000000,
  EXCL_UNLINK: 0x4000000,
  MASK_CREATE: 0x10000000,
  MASK_ADD: 0x20000000,
  ISDIR: 0x40000000,
  ONESHOT: 0x80000000,
  ALL_EVENTS: 0xfff,
} as const

/** Requests on an inotify instance: the next watch descriptor (CONFIG_CHECKPOINT_RESTORE, 4.17). */
export const INOTIFY_IOC = {
  SETNEXTWD: 0x40044900,
} as const

/** Flags of fanotify_init, marks of fanotify_mark, events of both (man 2 fanotify_init). */
export const FAN = {
  CLOEXEC: 0x1,
  NONBLOCK: 0x2,
  CLASS_CONTENT: 0x4,
  CLASS_PRE_CONTENT: 0x8,
  UNLIMITED_QUEUE: 0x10,
  UNLIMITED_MARKS: 0x20,
  ENABLE_AUDIT: 0x40,
  REPORT_PIDFD: 0x80,
  REPORT_TID: 0x100,
  REPORT_FID: 0x200,
  REPORT_DIR_FID: 0x400,
  REPORT_NAME: 0x800,
  REPORT_TARGET_FID: 0x1000,
  OPEN_PERM: 0x10000,
  ACCESS_PERM: 0x20000,
  OPEN_EXEC_PERM: 0x40000,
  PRE_ACCESS: 0x100000,
} as const

/** Flags of fanotify_mark. */
export const FAN_MARK = {
  ADD: 0x1,
  IGNORED_MASK: 0x20,
  IGNORED_SURV_MODIFY: 0x40,
  EVICTABLE: 0x200,
  IGNORE: 0x400,
  INODE: 0x0,
  MOUNT: 0x10,
  FILESYSTEM: 0x100,
} as const

/** linux/seccomp.h, linux/audit.h. */

/** `Seccomp` in /proc/PID/status. */
export const SECCOMP_MODE = {
  DISABLED: 0,
  STRICT: 1,
  FILTER: 2,
} as const

/** Operations of seccomp(2). */
export const SECCOMP = {
  SET_MODE_STRICT: 0,
  SET_MODE_FILTER: 1,
  GET_ACTION_AVAIL: 2,
  GET_NOTIF_SIZES: 3,
} as const

/** Flags of SECCOMP_SET_MODE_FILTER. */
export const SECCOMP_FILTER_FLAG = {
  TSYNC: 0x1,
  LOG: 0x2,
  SPEC_ALLOW: 0x4,
  NEW_LISTENER: 0x8,
  TSYNC_ESRCH: 0x10,
  WAIT_KILLABLE_RECV: 0x20,
} as const

/** Actions of a filter; they are above 2^31, so end a mask with `>>> 0`. */
export const SECCOMP_RET = {
  KILL_THREAD: 0x0,
  DATA: 0xffff,
  TRAP: 0x30000,
  ERRNO: 0x50000,
  USER_NOTIF: 0x7fc00000,
  TRACE: 0x7ff00000,
  LOG: 0x7ffc0000,
  ALLOW: 0x7fff0000,
  ACTION: 0x7fff0000,
  KILL_PROCESS: 0x80000000,
  ACTION_FULL: 0xffff0000,
} as const

/** `arch` of struct seccomp_data. */
export const AUDIT_ARCH = {
  I386: 0x40000003,
  X86_64: 0xc000003e,
  AARCH64: 0xc00000b7,
} as const

/** linux/wait.h. */

/** Options of wait4 and waitid. */
export const W = {
  NOHANG: 0x1,
  UNTRACED: 0x2,
  STOPPED: 0x2,
  EXITED: 0x4,
  CONTINUED: 0x8,
  NOWAIT: 0x1000000,
} as const

/** Which children: of any kind, of clones, of this thread alone. */
export const WAIT_KIND = {
  NOTHREAD: 0x20000000,
  ALL: 0x40000000,
  CLONE: 0x80000000,
} as const

/** idtype of waitid. */
export const P = {
  ALL: 0,
  PID: 1,
  PGID: 2,
  PIDFD: 3,
} as const

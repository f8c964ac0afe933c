/** linux/pidfd.h. */

/** Flags of pidfd_open; THREAD since Linux 6.9. */
export const PIDFD = {
  NONBLOCK: 0x800,
  THREAD: 0x80,
} as const

/** Requests on a pidfd (since Linux 6.13); the argument is struct pidfd_info. */
export const PIDFD_GET = {
  INFO: 0xc040ff0b,
} as const

/** Parts of struct pidfd_info; EXIT since Linux 6.15. */
export const PIDFD_INFO = {
  PID: 0x1,
  CREDS: 0x2,
  CGROUPID: 0x4,
  EXIT: 0x8,
} as const

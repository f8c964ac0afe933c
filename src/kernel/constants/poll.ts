/** linux/eventpoll.h, asm-generic/poll.h, linux/eventfd.h. */

/** Events of poll. */
export const POLL = {
  IN: 0x1,
  PRI: 0x2,
  OUT: 0x4,
  ERR: 0x8,
  HUP: 0x10,
  NVAL: 0x20,
  RDNORM: 0x40,
  RDBAND: 0x80,
  WRNORM: 0x100,
  WRBAND: 0x200,
  MSG: 0x400,
  REMOVE: 0x1000,
  RDHUP: 0x2000,
} as const

/** Events of epoll that poll does not have. */
export const EPOLL = {
  EXCLUSIVE: 0x10000000,
  WAKEUP: 0x20000000,
  ONESHOT: 0x40000000,
  ET: 0x80000000,
} as const

/** Operations of epoll_ctl. */
export const EPOLL_CTL = {
  ADD: 1,
  DEL: 2,
  MOD: 3,
} as const

/** Flags of epoll_create1. */
export const EPOLL_CREATE = {
  CLOEXEC: 0x80000,
} as const

/** Flags of eventfd2. */
export const EFD = {
  SEMAPHORE: 0x1,
  NONBLOCK: 0x800,
  CLOEXEC: 0x80000,
} as const

/** linux/kcmp.h. */

/** Types of kcmp(2). */
export const KCMP = {
  FILE: 0,
  VM: 1,
  FILES: 2,
  FS: 3,
  SIGHAND: 4,
  IO: 5,
  SYSVSEM: 6,
  EPOLL_TFD: 7,
} as const

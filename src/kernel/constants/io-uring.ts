/** linux/io_uring.h. */

/** Flags of io_uring_setup. */
export const IORING_SETUP = {
  IOPOLL: 1 << 0,
  SQPOLL: 1 << 1,
  SQ_AFF: 1 << 2,
  CQSIZE: 1 << 3,
  CLAMP: 1 << 4,
  ATTACH_WQ: 1 << 5,
  R_DISABLED: 1 << 6,
  SUBMIT_ALL: 1 << 7,
  COOP_TASKRUN: 1 << 8,
  TASKRUN_FLAG: 1 << 9,
  SQE128: 1 << 10,
  CQE32: 1 << 11,
  SINGLE_ISSUER: 1 << 12,
  DEFER_TASKRUN: 1 << 13,
  NO_MMAP: 1 << 14,
  REGISTERED_FD_ONLY: 1 << 15,
  NO_SQARRAY: 1 << 16,
} as const

/** Offsets of mmap, which name the part of a ring. */
export const IORING_OFF = {
  SQ_RING: 0,
  CQ_RING: 0x8000000,
  SQES: 0x10000000,
} as const

/** Operations of io_uring_register. */
export const IORING_REGISTER = {
  BUFFERS: 0,
  FILES: 2,
  EVENTFD: 4,
  PROBE: 8,
  RESTRICTIONS: 11,
  ENABLE_RINGS: 12,
  PBUF_STATUS: 26,
  NAPI: 27,
  RESIZE_RINGS: 33,
} as const

/** Flags of io_uring_enter. */
export const IORING_ENTER = {
  GETEVENTS: 1 << 0,
  REGISTERED_RING: 1 << 4,
} as const

/** FUTEX_WAKE_OP (man 2 futex): an addition to a word of memory, as a system call. */
export const FUTEX = { WAKE_OP: 5, PRIVATE_FLAG: 128 } as const
/** FUTEX_OP_ADD with FUTEX_OP_ARG_SHIFT: adds 1 << the argument, in bits 12 to 23. */
export const FUTEX_OP_ADD_SHIFTED = 0x9000_0000

/** asm-generic/resource.h. */

/** Numbers of limits by name. */
export const RLIMIT = {
  CPU: 0,
  FSIZE: 1,
  DATA: 2,
  STACK: 3,
  CORE: 4,
  RSS: 5,
  NPROC: 6,
  NOFILE: 7,
  MEMLOCK: 8,
  AS: 9,
  LOCKS: 10,
  SIGPENDING: 11,
  MSGQUEUE: 12,
  NICE: 13,
  RTPRIO: 14,
  RTTIME: 15,
} as const

export type LimitName = keyof typeof RLIMIT

/** Names in the order of their numbers: the order of /proc/PID/limits and of the images. */
export const LIMIT_NAMES: readonly LimitName[] = Object.entries(RLIMIT)
  .sort(([, a], [, b]) => a - b)
  .map(([name]) => name as LimitName)

/** `which` of getpriority. */
export const PRIO = {
  PROCESS: 0,
  PGRP: 1,
  USER: 2,
} as const

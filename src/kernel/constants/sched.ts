/** linux/sched.h. */

/** Flags of clone, clone3, unshare and setns; bigint since clone3 has more than 32 bits. */
export const CLONE = {
  NEWTIME: 0x80n,
  VM: 0x100n,
  FS: 0x200n,
  FILES: 0x400n,
  SIGHAND: 0x800n,
  PIDFD: 0x1000n,
  PTRACE: 0x2000n,
  VFORK: 0x4000n,
  PARENT: 0x8000n,
  THREAD: 0x10000n,
  NEWNS: 0x20000n,
  SYSVSEM: 0x40000n,
  SETTLS: 0x80000n,
  PARENT_SETTID: 0x100000n,
  CHILD_CLEARTID: 0x200000n,
  DETACHED: 0x400000n,
  UNTRACED: 0x800000n,
  CHILD_SETTID: 0x1000000n,
  NEWCGROUP: 0x2000000n,
  NEWUTS: 0x4000000n,
  NEWIPC: 0x8000000n,
  NEWUSER: 0x10000000n,
  NEWPID: 0x20000000n,
  NEWNET: 0x40000000n,
  IO: 0x80000000n,
  CLEAR_SIGHAND: 0x100000000n,
  INTO_CGROUP: 0x200000000n,
} as const

/** Scheduling policies. RESET_ON_FORK is a flag beside them. */
export const SCHED = {
  NORMAL: 0,
  FIFO: 1,
  RR: 2,
  BATCH: 3,
  IDLE: 5,
  DEADLINE: 6,
  EXT: 7,
  RESET_ON_FORK: 1073741824,
} as const

/** sched_flags of struct sched_attr. */
export const SCHED_FLAG = {
  RESET_ON_FORK: 0x1,
  RECLAIM: 0x2,
  DL_OVERRUN: 0x4,
  KEEP_POLICY: 0x8,
  KEEP_PARAMS: 0x10,
  UTIL_CLAMP_MIN: 0x20,
  UTIL_CLAMP_MAX: 0x40,
} as const

import { i32, layout, pointer, u32, u64 } from './layout.ts'

/** struct clone_args (linux/sched.h), 88 bytes since Linux 5.7. */
export const cloneArgs = layout({
  flags: u64,
  /** Where to store the pidfd. */
  pidfd: pointer,
  child_tid: pointer,
  parent_tid: pointer,
  exit_signal: u64,
  /** Lowest address of the stack. */
  stack: pointer,
  stack_size: u64,
  tls: u64,
  /** Address of pids, innermost namespace first. */
  set_tid: pointer,
  set_tid_size: u64,
  cgroup: u64,
})

/** struct pidfd_info (linux/pidfd.h), 64 bytes since Linux 6.13. */
export const pidfdInfo = layout({
  /** What is asked for, then what was told. */
  mask: u64,
  cgroupid: u64,
  pid: u32,
  tgid: u32,
  ppid: u32,
  ruid: u32,
  rgid: u32,
  euid: u32,
  egid: u32,
  suid: u32,
  sgid: u32,
  fsuid: u32,
  fsgid: u32,
  exit_code: i32,
})

/** struct sched_attr (linux/sched/types.h), 56 bytes since Linux 5.3. */
export const schedAttr = layout({
  size: u32,
  sched_policy: u32,
  sched_flags: u64,
  sched_nice: i32,
  sched_priority: u32,
  sched_runtime: u64,
  sched_deadline: u64,
  sched_period: u64,
  sched_util_min: u32,
  sched_util_max: u32,
})

/** struct rlimit64 (linux/resource.h): prlimit64, and getrlimit on x86-64. */
export const rlimit64 = layout({ rlim_cur: u64, rlim_max: u64 })

/** struct robust_list_head (linux/futex.h). */
export const robustListHead = layout({
  list: pointer,
  futex_offset: u64,
  list_op_pending: pointer,
})

/** struct rseq (linux/rseq.h), the 32 bytes of its first version. */
export const rseq = layout(
  { cpu_id_start: u32, cpu_id: u32, rseq_cs: u64, flags: u32, node_id: u32, mm_cid: u32 },
  { align: 32 },
)

/** struct __user_cap_header_struct (linux/capability.h). */
export const capHeader = layout({ version: u32, pid: i32 })

/** struct __user_cap_data_struct; version 3 has two, for capabilities 0–31 and 32–63. */
export const capData = layout({ effective: u32, permitted: u32, inheritable: u32 })

/** struct kcmp_epoll_slot (linux/kcmp.h): KCMP_EPOLL_TFD. */
export const kcmpEpollSlot = layout({ efd: u32, tfd: u32, toff: u32 })

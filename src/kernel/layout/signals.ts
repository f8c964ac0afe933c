import { array, bytes, i32, i64, layout, pointer, u16, u32, u64, u64Compat } from './layout.ts'

/** The kernel's own sigaction of x86-64 (include/linux/signal_types.h): rt_sigaction. */
export const kernelSigaction = layout({
  handler: pointer,
  flags: u64,
  restorer: pointer,
  mask: u64,
})

/** struct compat_sigaction of i386 (include/linux/compat.h): rt_sigaction of a 32-bit task. */
export const kernelSigaction32 = layout({
  handler: u32,
  flags: u32,
  restorer: u32,
  mask: u64Compat,
})

/** stack_t (asm/signal.h): sigaltstack. */
export const stackT = layout({ sp: pointer, flags: i32, size: u64 })

/** compat_stack_t of i386. */
export const stackT32 = layout({ sp: u32, flags: i32, size: u32 })

/** Head of siginfo_t (asm-generic/siginfo.h). */
const siginfoHead = { signo: i32, errno: i32, code: i32, _pad: i32 } as const

/** siginfo_t as a whole: 128 bytes, the fields of the cause kept raw. */
export const siginfo = layout({ ...siginfoHead, fields: bytes(112) })

/** siginfo_t of kill, tkill, sigqueue and message queues: SI_USER, SI_TKILL, SI_QUEUE, SI_MESGQ. */
export const siginfoRt = layout({
  ...siginfoHead,
  pid: i32,
  uid: u32,
  value: u64,
  _rest: bytes(96),
})

/** siginfo_t of POSIX timers: SI_TIMER. */
export const siginfoTimer = layout({
  ...siginfoHead,
  timerid: i32,
  overrun: i32,
  value: u64,
  /** Used inside the kernel alone. */
  sys_private: i32,
  _rest: bytes(92),
})

/** siginfo_t of SIGCHLD. */
export const siginfoChld = layout({
  ...siginfoHead,
  pid: i32,
  uid: u32,
  status: i32,
  utime: i64,
  stime: i64,
  _rest: bytes(80),
})

/** siginfo_t of SIGILL, SIGFPE, SIGSEGV, SIGBUS and SIGTRAP. */
export const siginfoFault = layout({
  ...siginfoHead,
  addr: pointer,
  /** BUS_MCEERR_… only. */
  addr_lsb: u16,
  /** SEGV_BNDERR; SEGV_PKUERR has the key in the first word. */
  lower: pointer,
  upper: pointer,
  _rest: bytes(80),
})

/** siginfo_t of SIGIO and SIGPOLL. */
export const siginfoPoll = layout({ ...siginfoHead, band: i64, fd: i32, _rest: bytes(100) })

/** siginfo_t of SIGSYS. */
export const siginfoSys = layout({
  ...siginfoHead,
  call_addr: pointer,
  syscall: i32,
  arch: u32,
  _rest: bytes(96),
})

/** struct sigevent (asm-generic/siginfo.h): timer_create; 64 bytes. */
export const sigevent = layout({
  value: u64,
  signo: i32,
  notify: i32,
  /** SIGEV_THREAD_ID. */
  tid: i32,
  _rest: bytes(44),
})

/** struct signalfd_siginfo (linux/signalfd.h): what a signalfd reads. */
export const signalfdSiginfo = layout({
  signo: u32,
  errno: i32,
  code: i32,
  pid: u32,
  uid: u32,
  fd: i32,
  tid: u32,
  band: u32,
  overrun: u32,
  trapno: u32,
  status: i32,
  int: i32,
  ptr: u64,
  utime: u64,
  stime: u64,
  addr: u64,
  addr_lsb: u16,
  _pad2: u16,
  syscall: i32,
  call_addr: u64,
  arch: u32,
  _pad: array(u32, 7),
})

// Made by scripts/gen-images.sh from src/images/proto; do not edit.
export const seccomp_mode = {
  disabled: 0,
  strict: 1,
  filter: 2,
} as const
export type seccomp_mode = (typeof seccomp_mode)[keyof typeof seccomp_mode]

export const core_entry_march = {
  UNKNOWN: 0,
  X86_64: 1,
  ARM: 2,
  AARCH64: 3,
  PPC64: 4,
  S390: 5,
  MIPS: 6,
  LOONGARCH64: 7,
  RISCV64: 8,
} as const
export type core_entry_march = (typeof core_entry_march)[keyof typeof core_entry_march]

export const user_x86_regs_mode = {
  NATIVE: 1,
  COMPAT: 2,
} as const
export type user_x86_regs_mode = (typeof user_x86_regs_mode)[keyof typeof user_x86_regs_mode]

export const cpuinfo_x86_entry_vendor = {
  UNKNOWN: 0,
  INTEL: 1,
  AMD: 2,
} as const
export type cpuinfo_x86_entry_vendor = (typeof cpuinfo_x86_entry_vendor)[keyof typeof cpuinfo_x86_entry_vendor]

export const cpuinfo_ppc64_entry_endianness = {
  BIGENDIAN: 0,
  LITTLEENDIAN: 1,
} as const
export type cpuinfo_ppc64_entry_endianness = (typeof cpuinfo_ppc64_entry_endianness)[keyof typeof cpuinfo_ppc64_entry_endianness]

export const fd_types = {
  UND: 0,
  REG: 1,
  PIPE: 2,
  FIFO: 3,
  INETSK: 4,
  UNIXSK: 5,
  EVENTFD: 6,
  EVENTPOLL: 7,
  INOTIFY: 8,
  SIGNALFD: 9,
  PACKETSK: 10,
  TTY: 11,
  FANOTIFY: 12,
  NETLINKSK: 13,
  NS: 14,
  TUNF: 15,
  EXT: 16,
  TIMERFD: 17,
  MEMFD: 18,
  BPFMAP: 19,
  PIDFD: 20,
  CTL_TTY: 65534,
  AUTOFS_PIPE: 65535,
} as const
export type fd_types = (typeof fd_types)[keyof typeof fd_types]

export const fh_entry_sizes = {
  min_entries: 16,
} as const
export type fh_entry_sizes = (typeof fh_entry_sizes)[keyof typeof fh_entry_sizes]

export const mark_type = {
  INODE: 1,
  MOUNT: 2,
} as const
export type mark_type = (typeof mark_type)[keyof typeof mark_type]

export const lsmtype = {
  NO_LSM: 0,
  SELINUX: 1,
  APPARMOR: 2,
} as const
export type lsmtype = (typeof lsmtype)[keyof typeof lsmtype]

export const fstype = {
  UNSUPPORTED: 0,
  PROC: 1,
  SYSFS: 2,
  DEVTMPFS: 3,
  BINFMT_MISC: 4,
  TMPFS: 5,
  DEVPTS: 6,
  SIMFS: 7,
  PSTORE: 8,
  SECURITYFS: 9,
  FUSECTL: 10,
  DEBUGFS: 11,
  CGROUP: 12,
  AUFS: 13,
  MQUEUE: 14,
  FUSE: 15,
  AUTO: 16,
  OVERLAYFS: 17,
  AUTOFS: 18,
  TRACEFS: 19,
  CGROUP2: 23,
} as const
export type fstype = (typeof fstype)[keyof typeof fstype]

export const nd_type = {
  LOOPBACK: 1,
  VETH: 2,
  TUN: 3,
  EXTLINK: 4,
  VENET: 5,
  BRIDGE: 6,
  MACVLAN: 7,
  SIT: 8,
} as const
export type nd_type = (typeof nd_type)[keyof typeof nd_type]

export const remap_type = {
  LINKED: 0,
  GHOST: 1,
  PROCFS: 2,
} as const
export type remap_type = (typeof remap_type)[keyof typeof remap_type]

export const criu_cg_mode = {
  IGNORE: 0,
  CG_NONE: 1,
  PROPS: 2,
  SOFT: 3,
  FULL: 4,
  STRICT: 5,
  DEFAULT: 6,
} as const
export type criu_cg_mode = (typeof criu_cg_mode)[keyof typeof criu_cg_mode]

export const criu_network_lock_method = {
  IPTABLES: 1,
  NFTABLES: 2,
  SKIP: 3,
} as const
export type criu_network_lock_method = (typeof criu_network_lock_method)[keyof typeof criu_network_lock_method]

export const criu_pre_dump_mode = {
  SPLICE: 1,
  VM_READ: 2,
} as const
export type criu_pre_dump_mode = (typeof criu_pre_dump_mode)[keyof typeof criu_pre_dump_mode]

export const criu_req_type = {
  EMPTY: 0,
  DUMP: 1,
  RESTORE: 2,
  CHECK: 3,
  PRE_DUMP: 4,
  PAGE_SERVER: 5,
  NOTIFY: 6,
  CPUINFO_DUMP: 7,
  CPUINFO_CHECK: 8,
  FEATURE_CHECK: 9,
  VERSION: 10,
  WAIT_PID: 11,
  PAGE_SERVER_CHLD: 12,
  SINGLE_PRE_DUMP: 13,
} as const
export type criu_req_type = (typeof criu_req_type)[keyof typeof criu_req_type]

export const sk_shutdown = {
  NONE: 0,
  READ: 1,
  WRITE: 2,
  BOTH: 3,
} as const
export type sk_shutdown = (typeof sk_shutdown)[keyof typeof sk_shutdown]

export const SysctlType = {
  CTL_STR: 5,
  CTL_32: 6,
} as const
export type SysctlType = (typeof SysctlType)[keyof typeof SysctlType]

export const TtyType = {
  UNKNOWN: 0,
  PTY: 1,
  CONSOLE: 2,
  VT: 3,
  CTTY: 4,
  EXT_TTY: 5,
  SERIAL: 6,
} as const
export type TtyType = (typeof TtyType)[keyof typeof TtyType]

/** All enums by their name; nested ones as `message_enum`. */
export const enums = {
  seccomp_mode,
  core_entry_march,
  user_x86_regs_mode,
  cpuinfo_x86_entry_vendor,
  cpuinfo_ppc64_entry_endianness,
  fd_types,
  fh_entry_sizes,
  mark_type,
  lsmtype,
  fstype,
  nd_type,
  remap_type,
  criu_cg_mode,
  criu_network_lock_method,
  criu_pre_dump_mode,
  criu_req_type,
  sk_shutdown,
  SysctlType,
  TtyType,
}

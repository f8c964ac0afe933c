// Made by scripts/gen-images.sh from src/images/proto; do not edit.
import type { Message } from '../message.ts'
import type {
  seccomp_mode,
  core_entry_march,
  user_x86_regs_mode,
  cpuinfo_x86_entry_vendor,
  cpuinfo_ppc64_entry_endianness,
  fd_types,
  mark_type,
  lsmtype,
  nd_type,
  remap_type,
  criu_cg_mode,
  criu_network_lock_method,
  criu_pre_dump_mode,
  criu_req_type,
  sk_shutdown,
  SysctlType,
  TtyType,
} from './enums.ts'

export interface aa_policy extends Message {
  name: string
  blob: Uint8Array
}

export interface aa_namespace extends Message {
  name: string
  policies: aa_policy[]
  namespaces: aa_namespace[]
}

export interface apparmor_entry extends Message {
  namespaces: aa_namespace[]
}

export interface autofs_entry extends Message {
  fd: number
  pgrp: number
  timeout: number
  minproto: number
  maxproto: number
  mode: number
  uid?: number | undefined
  gid?: number | undefined
  read_fd?: number | undefined
}

export interface binfmt_misc_entry extends Message {
  name: string
  enabled: boolean
  interpreter: string
  flags?: string | undefined
  extension?: string | undefined
  magic?: string | undefined
  mask?: string | undefined
  offset?: number | undefined
}

export interface bpfmap_data_entry extends Message {
  map_id: number
  keys_bytes: number
  values_bytes: number
  count: number
}

export interface bpfmap_file_entry extends Message {
  id: number
  flags: number
  pos: bigint
  fown: fown_entry
  map_type: number
  key_size: number
  value_size: number
  map_id: number
  max_entries: number
  map_flags: number
  memlock: bigint
  frozen: boolean
  map_name: string
  ifindex: number
  /** Absent means -1. */
  mnt_id?: number | undefined
  map_extra?: bigint | undefined
}

export interface cgroup_perms extends Message {
  mode: number
  uid: number
  gid: number
}

export interface cgroup_prop_entry extends Message {
  name: string
  value: string
  perms?: cgroup_perms | undefined
}

export interface cgroup_dir_entry extends Message {
  dir_name: string
  children: cgroup_dir_entry[]
  properties: cgroup_prop_entry[]
  dir_perms?: cgroup_perms | undefined
}

export interface cg_controller_entry extends Message {
  cnames: string[]
  dirs: cgroup_dir_entry[]
  is_threaded?: boolean | undefined
}

export interface cg_member_entry extends Message {
  name: string
  path: string
  cgns_prefix?: number | undefined
}

export interface cg_set_entry extends Message {
  id: number
  ctls: cg_member_entry[]
}

export interface cgroup_entry extends Message {
  sets: cg_set_entry[]
  controllers: cg_controller_entry[]
}

export interface task_core_entry extends Message {
  task_state: number
  exit_code: number
  personality: number
  flags: number
  blk_sigset: bigint
  comm: string
  timers?: task_timers_entry | undefined
  rlimits?: task_rlimits_entry | undefined
  cg_set?: number | undefined
  signals_s?: signal_queue_entry | undefined
  old_seccomp_mode?: seccomp_mode | undefined
  old_seccomp_filter?: number | undefined
  loginuid?: number | undefined
  oom_score_adj?: number | undefined
  sigactions: sa_entry[]
  child_subreaper?: boolean | undefined
  blk_sigset_extended?: bigint | undefined
  stop_signo?: number | undefined
  membarrier_registration_mask?: number | undefined
}

export interface task_kobj_ids_entry extends Message {
  vm_id: number
  files_id: number
  fs_id: number
  sighand_id: number
  pid_ns_id?: number | undefined
  net_ns_id?: number | undefined
  ipc_ns_id?: number | undefined
  uts_ns_id?: number | undefined
  mnt_ns_id?: number | undefined
  user_ns_id?: number | undefined
  cgroup_ns_id?: number | undefined
  time_ns_id?: number | undefined
}

export interface thread_sas_entry extends Message {
  ss_sp: bigint
  ss_size: bigint
  ss_flags: number
}

export interface thread_core_entry extends Message {
  futex_rla: bigint
  futex_rla_len: number
  sched_nice?: number | undefined
  sched_policy?: number | undefined
  sched_prio?: number | undefined
  blk_sigset?: bigint | undefined
  sas?: thread_sas_entry | undefined
  pdeath_sig?: number | undefined
  signals_p?: signal_queue_entry | undefined
  creds?: creds_entry | undefined
  seccomp_mode?: seccomp_mode | undefined
  seccomp_filter?: number | undefined
  comm?: string | undefined
  blk_sigset_extended?: bigint | undefined
  rseq_entry?: rseq_entry | undefined
  cg_set?: number | undefined
}

export interface task_rlimits_entry extends Message {
  rlimits: rlimit_entry[]
}

export interface core_entry extends Message {
  mtype: core_entry_march
  thread_info?: thread_info_x86 | undefined
  tc?: task_core_entry | undefined
  ids?: task_kobj_ids_entry | undefined
  thread_core?: thread_core_entry | undefined
  ti_arm?: thread_info_arm | undefined
  ti_aarch64?: thread_info_aarch64 | undefined
  ti_ppc64?: thread_info_ppc64 | undefined
  ti_s390?: thread_info_s390 | undefined
  ti_mips?: thread_info_mips | undefined
  ti_loongarch64?: thread_info_loongarch64 | undefined
  ti_riscv64?: thread_info_riscv64 | undefined
}

export interface user_aarch64_regs_entry extends Message {
  regs: bigint[]
  sp: bigint
  pc: bigint
  pstate: bigint
}

export interface user_aarch64_fpsimd_context_entry extends Message {
  vregs: bigint[]
  fpsr: number
  fpcr: number
}

export interface pac_address_keys extends Message {
  apiakey_lo: bigint
  apiakey_hi: bigint
  apibkey_lo: bigint
  apibkey_hi: bigint
  apdakey_lo: bigint
  apdakey_hi: bigint
  apdbkey_lo: bigint
  apdbkey_hi: bigint
  pac_enabled_key: bigint
}

export interface pac_generic_keys extends Message {
  apgakey_lo: bigint
  apgakey_hi: bigint
}

export interface pac_keys extends Message {
  pac_address_keys?: pac_address_keys | undefined
  pac_generic_keys?: pac_generic_keys | undefined
}

export interface thread_info_aarch64 extends Message {
  clear_tid_addr: bigint
  tls: bigint
  gpregs: user_aarch64_regs_entry
  fpsimd: user_aarch64_fpsimd_context_entry
  pac_keys?: pac_keys | undefined
}

export interface user_arm_regs_entry extends Message {
  r0: number
  r1: number
  r2: number
  r3: number
  r4: number
  r5: number
  r6: number
  r7: number
  r8: number
  r9: number
  r10: number
  fp: number
  ip: number
  sp: number
  lr: number
  pc: number
  cpsr: number
  orig_r0: number
}

export interface user_arm_vfpstate_entry extends Message {
  vfp_regs: bigint[]
  fpscr: number
  fpexc: number
  fpinst: number
  fpinst2: number
}

export interface thread_info_arm extends Message {
  clear_tid_addr: bigint
  tls: number
  gpregs: user_arm_regs_entry
  fpstate: user_arm_vfpstate_entry
}

export interface user_loongarch64_gpregs_entry extends Message {
  regs: bigint[]
  pc: bigint
}

export interface user_loongarch64_fpregs_entry extends Message {
  regs: bigint[]
  fcc: bigint
  fcsr: number
}

export interface thread_info_loongarch64 extends Message {
  clear_tid_addr: bigint
  tls: bigint
  gpregs: user_loongarch64_gpregs_entry
  fpregs: user_loongarch64_fpregs_entry
}

export interface user_mips_regs_entry extends Message {
  r0: bigint
  r1: bigint
  r2: bigint
  r3: bigint
  r4: bigint
  r5: bigint
  r6: bigint
  r7: bigint
  r8: bigint
  r9: bigint
  r10: bigint
  r11: bigint
  r12: bigint
  r13: bigint
  r14: bigint
  r15: bigint
  r16: bigint
  r17: bigint
  r18: bigint
  r19: bigint
  r20: bigint
  r21: bigint
  r22: bigint
  r23: bigint
  r24: bigint
  r25: bigint
  r26: bigint
  r27: bigint
  r28: bigint
  r29: bigint
  r30: bigint
  r31: bigint
  lo: bigint
  hi: bigint
  cp0_epc: bigint
  cp0_badvaddr: bigint
  cp0_status: bigint
  cp0_cause: bigint
}

export interface user_mips_fpregs_entry extends Message {
  r0: bigint
  r1: bigint
  r2: bigint
  r3: bigint
  r4: bigint
  r5: bigint
  r6: bigint
  r7: bigint
  r8: bigint
  r9: bigint
  r10: bigint
  r11: bigint
  r12: bigint
  r13: bigint
  r14: bigint
  r15: bigint
  r16: bigint
  r17: bigint
  r18: bigint
  r19: bigint
  r20: bigint
  r21: bigint
  r22: bigint
  r23: bigint
  r24: bigint
  r25: bigint
  r26: bigint
  r27: bigint
  r28: bigint
  r29: bigint
  r30: bigint
  r31: bigint
  lo: bigint
  hi: bigint
  fpu_fcr31: number
  fpu_id: number
}

export interface thread_info_mips extends Message {
  clear_tid_addr: bigint
  tls: bigint
  gpregs: user_mips_regs_entry
  fpregs: user_mips_fpregs_entry
}

export interface user_ppc64_regs_entry extends Message {
  gpr: bigint[]
  nip: bigint
  msr: bigint
  orig_gpr3: bigint
  ctr: bigint
  link: bigint
  xer: bigint
  ccr: bigint
  trap: bigint
  texasr?: bigint | undefined
  tfhar?: bigint | undefined
  tfiar?: bigint | undefined
}

export interface user_ppc64_fpstate_entry extends Message {
  fpregs: bigint[]
}

export interface user_ppc64_vrstate_entry extends Message {
  vrregs: bigint[]
  vrsave: number
}

export interface user_ppc64_vsxstate_entry extends Message {
  vsxregs: bigint[]
}

export interface user_ppc64_tm_regs_entry extends Message {
  gpregs: user_ppc64_regs_entry
  fpstate?: user_ppc64_fpstate_entry | undefined
  vrstate?: user_ppc64_vrstate_entry | undefined
  vsxstate?: user_ppc64_vsxstate_entry | undefined
}

export interface thread_info_ppc64 extends Message {
  clear_tid_addr: bigint
  gpregs: user_ppc64_regs_entry
  fpstate?: user_ppc64_fpstate_entry | undefined
  vrstate?: user_ppc64_vrstate_entry | undefined
  vsxstate?: user_ppc64_vsxstate_entry | undefined
  tmstate?: user_ppc64_tm_regs_entry | undefined
}

export interface user_riscv64_regs_entry extends Message {
  pc: bigint
  ra: bigint
  sp: bigint
  gp: bigint
  tp: bigint
  t0: bigint
  t1: bigint
  t2: bigint
  s0: bigint
  s1: bigint
  a0: bigint
  a1: bigint
  a2: bigint
  a3: bigint
  a4: bigint
  a5: bigint
  a6: bigint
  a7: bigint
  s2: bigint
  s3: bigint
  s4: bigint
  s5: bigint
  s6: bigint
  s7: bigint
  s8: bigint
  s9: bigint
  s10: bigint
  s11: bigint
  t3: bigint
  t4: bigint
  t5: bigint
  t6: bigint
}

export interface user_riscv64_d_ext_entry extends Message {
  f: bigint[]
  fcsr: number
}

export interface thread_info_riscv64 extends Message {
  clear_tid_addr: bigint
  tls: bigint
  gpregs: user_riscv64_regs_entry
  fpsimd: user_riscv64_d_ext_entry
}

export interface user_s390_regs_entry extends Message {
  psw_mask: bigint
  psw_addr: bigint
  gprs: bigint[]
  acrs: number[]
  orig_gpr2: bigint
  system_call: number
}

export interface user_s390_vxrs_low_entry extends Message {
  regs: bigint[]
}

export interface user_s390_vxrs_high_entry extends Message {
  regs: bigint[]
}

export interface user_s390_fpregs_entry extends Message {
  fpc: number
  fprs: bigint[]
}

export interface user_s390_gs_cb_entry extends Message {
  regs: bigint[]
}

export interface user_s390_ri_entry extends Message {
  ri_on: number
  regs: bigint[]
}

export interface thread_info_s390 extends Message {
  clear_tid_addr: bigint
  gpregs: user_s390_regs_entry
  fpregs: user_s390_fpregs_entry
  vxrs_low?: user_s390_vxrs_low_entry | undefined
  vxrs_high?: user_s390_vxrs_high_entry | undefined
  gs_cb?: user_s390_gs_cb_entry | undefined
  gs_bc?: user_s390_gs_cb_entry | undefined
  ri_cb?: user_s390_ri_entry | undefined
}

export interface user_x86_regs_entry extends Message {
  r15: bigint
  r14: bigint
  r13: bigint
  r12: bigint
  bp: bigint
  bx: bigint
  r11: bigint
  r10: bigint
  r9: bigint
  r8: bigint
  ax: bigint
  cx: bigint
  dx: bigint
  si: bigint
  di: bigint
  orig_ax: bigint
  ip: bigint
  cs: bigint
  flags: bigint
  sp: bigint
  ss: bigint
  fs_base: bigint
  gs_base: bigint
  ds: bigint
  es: bigint
  fs: bigint
  gs: bigint
  /** Absent means 1. */
  mode?: user_x86_regs_mode | undefined
}

export interface user_x86_cet_entry extends Message {
  cet: bigint
  ssp: bigint
}

export interface user_x86_xsave_entry extends Message {
  xstate_bv: bigint
  ymmh_space: number[]
  bndreg_state: bigint[]
  bndcsr_state: bigint[]
  opmask_reg: bigint[]
  zmm_upper: bigint[]
  hi16_zmm: bigint[]
  pkru: number[]
  cet?: user_x86_cet_entry | undefined
}

export interface user_x86_fpregs_entry extends Message {
  cwd: number
  swd: number
  twd: number
  fop: number
  rip: bigint
  rdp: bigint
  mxcsr: number
  mxcsr_mask: number
  st_space: number[]
  xmm_space: number[]
  padding: number[]
  xsave?: user_x86_xsave_entry | undefined
}

export interface user_desc_t extends Message {
  entry_number: number
  base_addr: number
  limit: number
  seg_32bit: boolean
  contents_h: boolean
  contents_l: boolean
  read_exec_only: boolean
  limit_in_pages: boolean
  seg_not_present: boolean
  usable: boolean
}

export interface thread_info_x86 extends Message {
  clear_tid_addr: bigint
  gpregs: user_x86_regs_entry
  fpregs: user_x86_fpregs_entry
  tls: user_desc_t[]
}

export interface cpuinfo_x86_entry extends Message {
  vendor_id: cpuinfo_x86_entry_vendor
  cpu_family: number
  model: number
  stepping: number
  capability_ver: number
  capability: number[]
  model_id?: string | undefined
  xfeatures_mask?: bigint | undefined
  xsave_size?: number | undefined
  xsave_size_max?: number | undefined
}

export interface cpuinfo_ppc64_entry extends Message {
  endian: cpuinfo_ppc64_entry_endianness
  hwcap: bigint[]
}

export interface cpuinfo_s390_entry extends Message {
  hwcap: bigint[]
}

export interface cpuinfo_entry extends Message {
  x86_entry: cpuinfo_x86_entry[]
  ppc64_entry: cpuinfo_ppc64_entry[]
  s390_entry: cpuinfo_s390_entry[]
}

export interface creds_entry extends Message {
  uid: number
  gid: number
  euid: number
  egid: number
  suid: number
  sgid: number
  fsuid: number
  fsgid: number
  cap_inh: number[]
  cap_prm: number[]
  cap_eff: number[]
  cap_bnd: number[]
  secbits: number
  groups: number[]
  lsm_profile?: string | undefined
  lsm_sockcreate?: string | undefined
  apparmor_data?: Uint8Array | undefined
  no_new_privs?: number | undefined
  cap_amb: number[]
}

export interface criuts_timer_extra extends Message {
  it_id: number
  tid: number
}

export interface criuts_speculation extends Message {
  which: number
  control: number
}

export interface criuts_mempolicy extends Message {
  mode: number
  nodes: Uint8Array
}

export interface criuts_thread_extra extends Message {
  tid: number
  cpus?: Uint8Array | undefined
  ioprio?: number | undefined
  timer_slack?: bigint | undefined
  personality?: number | undefined
  tsc?: number | undefined
  cpuid?: number | undefined
  mce_kill?: number | undefined
  io_flusher?: boolean | undefined
  speculation: criuts_speculation[]
  mempolicy?: criuts_mempolicy | undefined
  sched_runtime?: bigint | undefined
  util_min?: number | undefined
  util_max?: number | undefined
  restart_call?: number | undefined
  restart_nanos?: bigint | undefined
  idle_nice?: number | undefined
}

export interface criuts_vma_extra extends Message {
  start: bigint
  end: bigint
  name?: string | undefined
  lock_on_fault?: boolean | undefined
  sealed?: boolean | undefined
  protection_key?: number | undefined
}

export interface criuts_semadj extends Message {
  semid: number
  num: number
  adj: number
}

export interface criuts_task_extra extends Message {
  timers: criuts_timer_extra[]
  threads: criuts_thread_extra[]
  thp_disable?: number | undefined
  mdwe?: number | undefined
  memory_merge?: number | undefined
  coredump_filter?: bigint | undefined
  xcomp_perm?: bigint | undefined
  vmas: criuts_vma_extra[]
  exit_signal?: number | undefined
  lock_future?: number | undefined
  semadj: criuts_semadj[]
}

export interface criuts_shm extends Message {
  id: number
  cpid: number
  lpid: number
  name?: number | undefined
}

export interface criuts_sem extends Message {
  id: number
  pids: number[]
}

export interface criuts_msg extends Message {
  id: number
  lspid: number
  lrpid: number
}

export interface criuts_ipc extends Message {
  shm: criuts_shm[]
  sem: criuts_sem[]
  msg: criuts_msg[]
}

export interface criuts_mqueue_file extends Message {
  id: number
  flags: number
  pos: bigint
  fown: fown_entry
  path?: string | undefined
}

export interface criuts_mqueue_message extends Message {
  priority: number
  content: Uint8Array
}

export interface criuts_mqueue extends Message {
  id: number
  name: string
  unlinked: boolean
  mode: number
  uid: number
  gid: number
  maxmsg: bigint
  msgsize: bigint
  messages: criuts_mqueue_message[]
  files: criuts_mqueue_file[]
}

export interface criuts_membership extends Message {
  device: string
  group: Uint8Array
  mode: number
  sources: Uint8Array[]
}

export interface criuts_memberships extends Message {
  memberships: criuts_membership[]
}

export interface criuts_datagram extends Message {
  id_for: number
  source: Uint8Array
  source_port: number
  destination: Uint8Array
  ttl: number
  tos: number
  content: Uint8Array
}

export interface criuts_userfaultfd_range extends Message {
  start: bigint
  end: bigint
  mode: number
  zero: bigint[]
  protected: bigint[]
  poisoned: bigint[]
  mapped: bigint[]
  absent: bigint[]
}

export interface criuts_userfaultfd extends Message {
  id: number
  flags: number
  fown: fown_entry
  owner: number
  user_mode_only: boolean
  features?: bigint | undefined
  ranges: criuts_userfaultfd_range[]
}

export interface criuts_uring_buffer extends Message {
  address: bigint
  length: number
}

export interface criuts_uring_file extends Message {
  slot: number
  id: number
}

export interface criuts_uring extends Message {
  id: number
  flags: number
  fown: fown_entry
  inode: bigint
  setup: number
  sq_entries: number
  cq_entries: number
  cq_head: number
  cq_tail: number
  rings: Uint8Array
  sqes: Uint8Array
  owner: number
  files_count?: number | undefined
  files: criuts_uring_file[]
  buffers: criuts_uring_buffer[]
  eventfd?: number | undefined
}

export interface criuts_packet_ring_run extends Message {
  offset: bigint
  content: Uint8Array
}

export interface criuts_packet_ring extends Message {
  id: number
  receive_head?: number | undefined
  next_block?: bigint | undefined
  send_head?: number | undefined
  content: criuts_packet_ring_run[]
}

export interface criuts_tun_queue extends Message {
  id: number
  device: string
  flags: number
  header_size: number
  packets: Uint8Array[]
}

export interface eventfd_file_entry extends Message {
  id: number
  flags: number
  fown: fown_entry
  counter: bigint
}

export interface eventpoll_tfd_entry extends Message {
  id: number
  tfd: number
  events: number
  data: bigint
  dev?: number | undefined
  inode?: bigint | undefined
  pos?: bigint | undefined
}

export interface eventpoll_file_entry extends Message {
  id: number
  flags: number
  fown: fown_entry
  tfd: eventpoll_tfd_entry[]
}

export interface ext_file_entry extends Message {
  id: number
  fown: fown_entry
}

export interface fdinfo_entry extends Message {
  id: number
  flags: number
  type: fd_types
  fd: number
  xattr_security_selinux?: string | undefined
}

export interface file_entry extends Message {
  type: fd_types
  id: number
  reg?: reg_file_entry | undefined
  isk?: inet_sk_entry | undefined
  nsf?: ns_file_entry | undefined
  psk?: packet_sock_entry | undefined
  nlsk?: netlink_sk_entry | undefined
  efd?: eventfd_file_entry | undefined
  epfd?: eventpoll_file_entry | undefined
  sgfd?: signalfd_entry | undefined
  tunf?: tunfile_entry | undefined
  tfd?: timerfd_entry | undefined
  ify?: inotify_file_entry | undefined
  ffy?: fanotify_file_entry | undefined
  ext?: ext_file_entry | undefined
  usk?: unix_sk_entry | undefined
  fifo?: fifo_entry | undefined
  pipe?: pipe_entry | undefined
  tty?: tty_file_entry | undefined
  memfd?: memfd_file_entry | undefined
  bpf?: bpfmap_file_entry | undefined
  pidfd?: pidfd_entry | undefined
}

export interface fh_entry extends Message {
  bytes: number
  type: number
  handle: bigint[]
  path?: string | undefined
  mnt_id?: number | undefined
}

export interface irmap_cache_entry extends Message {
  dev: number
  inode: bigint
  path: string
}

export interface fifo_entry extends Message {
  id: number
  pipe_id: number
  regf_id?: number | undefined
}

export interface file_lock_entry extends Message {
  flag: number
  type: number
  pid: number
  fd: number
  start: bigint
  len: bigint
}

export interface fown_entry extends Message {
  uid: number
  euid: number
  signum: number
  pid_type: number
  pid: number
}

export interface fs_entry extends Message {
  cwd_id: number
  root_id: number
  umask?: number | undefined
}

export interface inotify_wd_entry extends Message {
  id: number
  i_ino: bigint
  mask: number
  ignored_mask: number
  s_dev: number
  wd: number
  f_handle: fh_entry
}

export interface inotify_file_entry extends Message {
  id: number
  flags: number
  fown: fown_entry
  wd: inotify_wd_entry[]
}

export interface fanotify_inode_mark_entry extends Message {
  i_ino: bigint
  f_handle: fh_entry
}

export interface fanotify_mount_mark_entry extends Message {
  mnt_id: number
  path?: string | undefined
}

export interface fanotify_mark_entry extends Message {
  id: number
  type: mark_type
  mflags: number
  mask: number
  ignored_mask: number
  s_dev: number
  ie?: fanotify_inode_mark_entry | undefined
  me?: fanotify_mount_mark_entry | undefined
}

export interface fanotify_file_entry extends Message {
  id: number
  flags: number
  fown: fown_entry
  faflags: number
  evflags: number
  mark: fanotify_mark_entry[]
}

export interface ghost_file_entry extends Message {
  uid: number
  gid: number
  mode: number
  dev?: number | undefined
  ino?: bigint | undefined
  rdev?: number | undefined
  atim?: timeval | undefined
  mtim?: timeval | undefined
  chunks?: boolean | undefined
  size?: bigint | undefined
  symlnk_target?: string | undefined
}

export interface ghost_chunk_entry extends Message {
  len: bigint
  off: bigint
}

export interface img_streamer_request_entry extends Message {
  filename: string
}

export interface img_streamer_reply_entry extends Message {
  exists: boolean
}

export interface plugins_entry extends Message {
  plugins: string[]
}

export interface inventory_entry extends Message {
  img_version: number
  fdinfo_per_id?: boolean | undefined
  root_ids?: task_kobj_ids_entry | undefined
  ns_per_id?: boolean | undefined
  root_cg_set?: number | undefined
  lsmtype?: lsmtype | undefined
  dump_uptime?: bigint | undefined
  pre_dump_mode?: number | undefined
  tcp_close?: boolean | undefined
  network_lock_method?: number | undefined
  plugins_entry?: plugins_entry | undefined
  dump_criu_run_id?: string | undefined
  allow_uprobes?: boolean | undefined
}

export interface ipc_desc_entry extends Message {
  key: number
  uid: number
  gid: number
  cuid: number
  cgid: number
  mode: number
  id: number
}

export interface ipc_msg extends Message {
  mtype: bigint
  msize: number
}

export interface ipc_msg_entry extends Message {
  desc: ipc_desc_entry
  qbytes: number
  qnum: number
}

export interface ipc_sem_entry extends Message {
  desc: ipc_desc_entry
  nsems: number
}

export interface ipc_shm_entry extends Message {
  desc: ipc_desc_entry
  size: bigint
  in_pagemaps?: boolean | undefined
  hugetlb_flag?: number | undefined
}

export interface ipc_var_entry extends Message {
  sem_ctls: number[]
  msg_ctlmax: number
  msg_ctlmnb: number
  msg_ctlmni: number
  auto_msgmni: number
  shm_ctlmax: bigint
  shm_ctlall: bigint
  shm_ctlmni: number
  shm_rmid_forced: number
  mq_queues_max: number
  mq_msg_max: number
  mq_msgsize_max: number
  mq_msg_default?: number | undefined
  mq_msgsize_default?: number | undefined
  msg_next_id?: number | undefined
  sem_next_id?: number | undefined
  shm_next_id?: number | undefined
}

export interface macvlan_link_entry extends Message {
  mode: number
  flags?: number | undefined
}

export interface memfd_file_entry extends Message {
  id: number
  flags: number
  pos: bigint
  fown: fown_entry
  inode_id: number
}

export interface memfd_inode_entry extends Message {
  name: string
  uid: number
  gid: number
  size: bigint
  shmid: number
  seals: number
  inode_id: bigint
  hugetlb_flag?: number | undefined
  mode?: number | undefined
}

export interface aio_ring_entry extends Message {
  id: bigint
  nr_req: number
  ring_len: number
}

export interface mm_entry extends Message {
  mm_start_code: bigint
  mm_end_code: bigint
  mm_start_data: bigint
  mm_end_data: bigint
  mm_start_stack: bigint
  mm_start_brk: bigint
  mm_brk: bigint
  mm_arg_start: bigint
  mm_arg_end: bigint
  mm_env_start: bigint
  mm_env_end: bigint
  exe_file_id: number
  mm_saved_auxv: bigint[]
  vmas: vma_entry[]
  dumpable?: number | undefined
  aios: aio_ring_entry[]
  thp_disabled?: boolean | undefined
}

export interface mnt_entry extends Message {
  fstype: number
  mnt_id: number
  root_dev: number
  parent_mnt_id: number
  flags: number
  root: string
  mountpoint: string
  source: string
  options: string
  shared_id?: number | undefined
  master_id?: number | undefined
  with_plugin?: boolean | undefined
  ext_mount?: boolean | undefined
  fsname?: string | undefined
  internal_sharing?: boolean | undefined
  deleted?: boolean | undefined
  sb_flags?: number | undefined
  ext_key?: string | undefined
}

export interface net_device_entry extends Message {
  type: nd_type
  ifindex: number
  mtu: number
  flags: number
  name: string
  tun?: tun_link_entry | undefined
  address?: Uint8Array | undefined
  conf: number[]
  conf4: sysctl_entry[]
  conf6: sysctl_entry[]
  macvlan?: macvlan_link_entry | undefined
  peer_ifindex?: number | undefined
  peer_nsid?: number | undefined
  master?: number | undefined
  sit?: sit_entry | undefined
}

export interface netns_id extends Message {
  target_ns_id: number
  netnsid_value: number
}

export interface netns_entry extends Message {
  def_conf: number[]
  all_conf: number[]
  def_conf4: sysctl_entry[]
  all_conf4: sysctl_entry[]
  def_conf6: sysctl_entry[]
  all_conf6: sysctl_entry[]
  nsids: netns_id[]
  ext_key?: string | undefined
  unix_conf: sysctl_entry[]
  ipv4_sysctl: sysctl_entry[]
}

export interface ns_file_entry extends Message {
  id: number
  ns_id: number
  ns_cflag: number
  flags: number
}

export interface packet_mclist extends Message {
  index: number
  type: number
  addr: Uint8Array
}

export interface packet_ring extends Message {
  block_size: number
  block_nr: number
  frame_size: number
  frame_nr: number
  retire_tmo: number
  sizeof_priv: number
  features: number
}

export interface packet_sock_entry extends Message {
  id: number
  type: number
  protocol: number
  flags: number
  ifindex: number
  fown: fown_entry
  opts: sk_opts_entry
  version: number
  reserve: number
  aux_data: boolean
  orig_dev: boolean
  vnet_hdr: boolean
  loss: boolean
  timestamp: number
  copy_thresh: number
  mclist: packet_mclist[]
  /** Absent means 4294967295. */
  fanout?: number | undefined
  rx_ring?: packet_ring | undefined
  tx_ring?: packet_ring | undefined
  ns_id?: number | undefined
}

export interface pagemap_head extends Message {
  pages_id: number
}

export interface pagemap_entry extends Message {
  vaddr: bigint
  compat_nr_pages: number
  in_parent?: boolean | undefined
  flags?: number | undefined
  nr_pages?: bigint | undefined
}

export interface pidfd_entry extends Message {
  id: number
  ino: number
  flags: number
  nspid: number
  fown: fown_entry
}

export interface pidns_entry extends Message {
  ext_key?: string | undefined
}

export interface pipe_entry extends Message {
  id: number
  pipe_id: number
  flags: number
  fown: fown_entry
}

export interface pipe_data_entry extends Message {
  pipe_id: number
  bytes: number
  size?: number | undefined
}

export interface pstree_entry extends Message {
  pid: number
  ppid: number
  pgid: number
  sid: number
  threads: number[]
}

export interface reg_file_entry extends Message {
  id: number
  flags: number
  pos: bigint
  fown: fown_entry
  name: string
  /** Absent means -1. */
  mnt_id?: number | undefined
  size?: bigint | undefined
  ext?: boolean | undefined
  mode?: number | undefined
  build_id: number[]
  checksum?: number | undefined
  checksum_config?: number | undefined
  checksum_parameter?: number | undefined
}

export interface remap_file_path_entry extends Message {
  orig_id: number
  remap_id: number
  remap_type?: remap_type | undefined
}

export interface rlimit_entry extends Message {
  cur: bigint
  max: bigint
}

export interface criu_page_server_info extends Message {
  address?: string | undefined
  port?: number | undefined
  pid?: number | undefined
  fd?: number | undefined
}

export interface criu_veth_pair extends Message {
  if_in: string
  if_out: string
}

export interface ext_mount_map extends Message {
  key: string
  val: string
}

export interface join_namespace extends Message {
  ns: string
  ns_file: string
  extra_opt?: string | undefined
}

export interface inherit_fd extends Message {
  key: string
  fd: number
}

export interface cgroup_root extends Message {
  ctrl?: string | undefined
  path: string
}

export interface unix_sk extends Message {
  inode: number
}

export interface criu_opts extends Message {
  images_dir_fd: number
  pid?: number | undefined
  leave_running?: boolean | undefined
  ext_unix_sk?: boolean | undefined
  tcp_established?: boolean | undefined
  evasive_devices?: boolean | undefined
  shell_job?: boolean | undefined
  file_locks?: boolean | undefined
  /** Absent means 2. */
  log_level?: number | undefined
  log_file?: string | undefined
  ps?: criu_page_server_info | undefined
  notify_scripts?: boolean | undefined
  root?: string | undefined
  parent_img?: string | undefined
  track_mem?: boolean | undefined
  auto_dedup?: boolean | undefined
  work_dir_fd?: number | undefined
  link_remap?: boolean | undefined
  veths: criu_veth_pair[]
  /** Absent means 4294967295. */
  cpu_cap?: number | undefined
  force_irmap?: boolean | undefined
  exec_cmd: string[]
  ext_mnt: ext_mount_map[]
  manage_cgroups?: boolean | undefined
  cg_root: cgroup_root[]
  rst_sibling?: boolean | undefined
  inherit_fd: inherit_fd[]
  auto_ext_mnt?: boolean | undefined
  ext_sharing?: boolean | undefined
  ext_masters?: boolean | undefined
  skip_mnt: string[]
  enable_fs: string[]
  unix_sk_ino: unix_sk[]
  manage_cgroups_mode?: criu_cg_mode | undefined
  /** Absent means 1048576. */
  ghost_limit?: number | undefined
  irmap_scan_paths: string[]
  external: string[]
  empty_ns?: number | undefined
  join_ns: join_namespace[]
  cgroup_props?: string | undefined
  cgroup_props_file?: string | undefined
  cgroup_dump_controller: string[]
  freeze_cgroup?: string | undefined
  timeout?: number | undefined
  tcp_skip_in_flight?: boolean | undefined
  weak_sysctls?: boolean | undefined
  lazy_pages?: boolean | undefined
  status_fd?: number | undefined
  orphan_pts_master?: boolean | undefined
  config_file?: string | undefined
  tcp_close?: boolean | undefined
  lsm_profile?: string | undefined
  tls_cacert?: string | undefined
  tls_cacrl?: string | undefined
  tls_cert?: string | undefined
  tls_key?: string | undefined
  tls?: boolean | undefined
  tls_no_cn_verify?: boolean | undefined
  cgroup_yard?: string | undefined
  /** Absent means 1. */
  pre_dump_mode?: criu_pre_dump_mode | undefined
  pidfd_store_sk?: number | undefined
  lsm_mount_context?: string | undefined
  /** Absent means 1. */
  network_lock?: criu_network_lock_method | undefined
  mntns_compat_mode?: boolean | undefined
  skip_file_rwx_check?: boolean | undefined
  unprivileged?: boolean | undefined
  images_dir?: string | undefined
  leave_stopped?: boolean | undefined
  display_stats?: boolean | undefined
  log_to_stderr?: boolean | undefined
}

export interface criu_dump_resp extends Message {
  restored?: boolean | undefined
}

export interface criu_restore_resp extends Message {
  pid: number
}

export interface criu_notify extends Message {
  script?: string | undefined
  pid?: number | undefined
}

export interface criu_features extends Message {
  mem_track?: boolean | undefined
  lazy_pages?: boolean | undefined
  pidfd_store?: boolean | undefined
}

export interface criu_req extends Message {
  type: criu_req_type
  opts?: criu_opts | undefined
  notify_success?: boolean | undefined
  keep_open?: boolean | undefined
  features?: criu_features | undefined
  pid?: number | undefined
}

export interface criu_resp extends Message {
  type: criu_req_type
  success: boolean
  dump?: criu_dump_resp | undefined
  restore?: criu_restore_resp | undefined
  notify?: criu_notify | undefined
  ps?: criu_page_server_info | undefined
  cr_errno?: number | undefined
  features?: criu_features | undefined
  cr_errmsg?: string | undefined
  version?: criu_version | undefined
  status?: number | undefined
}

export interface criu_version extends Message {
  major_number: number
  minor_number: number
  gitid?: string | undefined
  sublevel?: number | undefined
  extra?: number | undefined
  name?: string | undefined
}

export interface rseq_entry extends Message {
  rseq_abi_pointer: bigint
  rseq_abi_size: number
  signature: number
  rseq_cs_pointer?: bigint | undefined
}

export interface sa_entry extends Message {
  sigaction: bigint
  flags: bigint
  restorer: bigint
  mask: bigint
  compat_sigaction?: boolean | undefined
  mask_extended?: bigint | undefined
}

export interface seccomp_filter extends Message {
  filter: Uint8Array
  prev?: number | undefined
  flags?: number | undefined
}

export interface seccomp_entry extends Message {
  seccomp_filters: seccomp_filter[]
}

export interface siginfo_entry extends Message {
  siginfo: Uint8Array
}

export interface signal_queue_entry extends Message {
  signals: siginfo_entry[]
}

export interface signalfd_entry extends Message {
  id: number
  flags: number
  fown: fown_entry
  sigmask: bigint
}

export interface sit_entry extends Message {
  link?: number | undefined
  local: number[]
  remote: number[]
  ttl?: number | undefined
  tos?: number | undefined
  pmtudisc?: boolean | undefined
  proto?: number | undefined
  flags?: number | undefined
  encap_type?: number | undefined
  encap_flags?: number | undefined
  encap_sport?: number | undefined
  encap_dport?: number | undefined
  rd_prefixlen?: number | undefined
  rd_prefix: number[]
  relay_prefixlen?: number | undefined
  relay_prefix: number[]
}

export interface ip_opts_raw_entry extends Message {
  hdrincl?: boolean | undefined
  nodefrag?: boolean | undefined
  checksum?: boolean | undefined
  icmpv_filter: number[]
}

export interface ip_opts_entry extends Message {
  freebind?: boolean | undefined
  raw?: ip_opts_raw_entry | undefined
  pktinfo?: boolean | undefined
  tos?: number | undefined
  ttl?: number | undefined
}

export interface inet_sk_entry extends Message {
  id: number
  ino: number
  family: number
  type: number
  proto: number
  state: number
  src_port: number
  dst_port: number
  flags: number
  backlog: number
  src_addr: number[]
  dst_addr: number[]
  fown: fown_entry
  opts: sk_opts_entry
  v6only?: boolean | undefined
  ip_opts?: ip_opts_entry | undefined
  ifname?: string | undefined
  ns_id?: number | undefined
  shutdown?: sk_shutdown | undefined
  tcp_opts?: tcp_opts_entry | undefined
}

export interface netlink_sk_entry extends Message {
  id: number
  ino: number
  protocol: number
  state: number
  flags: number
  portid: number
  groups: number[]
  dst_portid: number
  dst_group: number
  fown: fown_entry
  opts: sk_opts_entry
  ns_id?: number | undefined
}

export interface sk_opts_entry extends Message {
  so_sndbuf: number
  so_rcvbuf: number
  so_snd_tmo_sec: bigint
  so_snd_tmo_usec: bigint
  so_rcv_tmo_sec: bigint
  so_rcv_tmo_usec: bigint
  reuseaddr?: boolean | undefined
  so_priority?: number | undefined
  so_rcvlowat?: number | undefined
  so_mark?: number | undefined
  so_passcred?: boolean | undefined
  so_passsec?: boolean | undefined
  so_dontroute?: boolean | undefined
  so_no_check?: boolean | undefined
  so_bound_dev?: string | undefined
  so_filter: bigint[]
  so_reuseport?: boolean | undefined
  so_broadcast?: boolean | undefined
  so_keepalive?: boolean | undefined
  tcp_keepcnt?: number | undefined
  tcp_keepidle?: number | undefined
  tcp_keepintvl?: number | undefined
  so_oobinline?: number | undefined
  so_linger?: number | undefined
  so_buf_lock?: number | undefined
}

export interface scm_entry extends Message {
  type: number
  rights: number[]
}

export interface sk_packet_entry extends Message {
  id_for: number
  length: number
  scm: scm_entry[]
}

export interface file_perms_entry extends Message {
  mode: number
  uid: number
  gid: number
}

export interface unix_sk_entry extends Message {
  id: number
  ino: number
  type: number
  state: number
  flags: number
  uflags: number
  backlog: number
  peer: number
  fown: fown_entry
  opts: sk_opts_entry
  name: Uint8Array
  shutdown?: sk_shutdown | undefined
  file_perms?: file_perms_entry | undefined
  name_dir?: string | undefined
  deleted?: boolean | undefined
  ns_id?: number | undefined
  /** Absent means -1. */
  mnt_id?: number | undefined
}

export interface dump_stats_entry extends Message {
  freezing_time: number
  frozen_time: number
  memdump_time: number
  memwrite_time: number
  pages_scanned: bigint
  pages_skipped_parent: bigint
  pages_written: bigint
  irmap_resolve?: number | undefined
  pages_lazy: bigint
  page_pipes?: bigint | undefined
  page_pipe_bufs?: bigint | undefined
  shpages_scanned?: bigint | undefined
  shpages_skipped_parent?: bigint | undefined
  shpages_written?: bigint | undefined
}

export interface restore_stats_entry extends Message {
  pages_compared: bigint
  pages_skipped_cow: bigint
  forking_time: number
  restore_time: number
  pages_restored?: bigint | undefined
}

export interface stats_entry extends Message {
  dump?: dump_stats_entry | undefined
  restore?: restore_stats_entry | undefined
}

export interface sysctl_entry extends Message {
  type: SysctlType
  iarg?: number | undefined
  sarg?: string | undefined
}

export interface tcp_opts_entry extends Message {
  cork?: boolean | undefined
  nodelay?: boolean | undefined
  keepcnt?: number | undefined
  keepidle?: number | undefined
  keepintvl?: number | undefined
}

export interface tcp_stream_entry extends Message {
  inq_len: number
  inq_seq: number
  outq_len: number
  outq_seq: number
  opt_mask: number
  snd_wscale: number
  mss_clamp: number
  rcv_wscale?: number | undefined
  timestamp?: number | undefined
  cork?: boolean | undefined
  nodelay?: boolean | undefined
  unsq_len?: number | undefined
  snd_wl1?: number | undefined
  snd_wnd?: number | undefined
  max_window?: number | undefined
  rcv_wnd?: number | undefined
  rcv_wup?: number | undefined
}

export interface timeval extends Message {
  tv_sec: bigint
  tv_usec: bigint
}

export interface timespec extends Message {
  tv_sec: bigint
  tv_nsec: bigint
}

export interface timens_entry extends Message {
  monotonic: timespec
  boottime: timespec
}

export interface itimer_entry extends Message {
  isec: bigint
  iusec: bigint
  vsec: bigint
  vusec: bigint
}

export interface posix_timer_entry extends Message {
  it_id: number
  clock_id: number
  si_signo: number
  it_sigev_notify: number
  sival_ptr: bigint
  overrun: number
  isec: bigint
  insec: bigint
  vsec: bigint
  vnsec: bigint
  notify_thread_id?: number | undefined
}

export interface task_timers_entry extends Message {
  real: itimer_entry
  virt: itimer_entry
  prof: itimer_entry
  posix: posix_timer_entry[]
}

export interface timerfd_entry extends Message {
  id: number
  flags: number
  fown: fown_entry
  clockid: number
  ticks: bigint
  settime_flags: number
  vsec: bigint
  vnsec: bigint
  isec: bigint
  insec: bigint
}

export interface winsize_entry extends Message {
  ws_row: number
  ws_col: number
  ws_xpixel: number
  ws_ypixel: number
}

export interface termios_entry extends Message {
  c_iflag: number
  c_oflag: number
  c_cflag: number
  c_lflag: number
  c_line: number
  c_ispeed: number
  c_ospeed: number
  c_cc: number[]
}

export interface tty_pty_entry extends Message {
  index: number
}

export interface tty_data_entry extends Message {
  tty_id: number
  data: Uint8Array
}

export interface tty_info_entry extends Message {
  id: number
  type: TtyType
  locked: boolean
  exclusive: boolean
  packet_mode: boolean
  sid: number
  pgrp: number
  rdev: number
  termios?: termios_entry | undefined
  termios_locked?: termios_entry | undefined
  winsize?: winsize_entry | undefined
  pty?: tty_pty_entry | undefined
  dev?: number | undefined
  uid?: number | undefined
  gid?: number | undefined
}

export interface tty_file_entry extends Message {
  id: number
  tty_info_id: number
  flags: number
  fown: fown_entry
  regf_id?: number | undefined
}

export interface tunfile_entry extends Message {
  id: number
  netdev?: string | undefined
  detached?: boolean | undefined
  ns_id?: number | undefined
}

export interface tun_link_entry extends Message {
  flags: number
  owner: number
  group: number
  vnethdr: number
  sndbuf: number
}

export interface uid_gid_extent extends Message {
  first: number
  lower_first: number
  count: number
}

export interface userns_entry extends Message {
  uid_map: uid_gid_extent[]
  gid_map: uid_gid_extent[]
}

export interface utsns_entry extends Message {
  nodename: string
  domainname: string
}

export interface vma_entry extends Message {
  start: bigint
  end: bigint
  pgoff: bigint
  shmid: bigint
  prot: number
  flags: number
  status: number
  fd: bigint
  madv?: bigint | undefined
  fdflags?: number | undefined
}

/** All messages by their name. */
export interface Messages {
  aa_policy: aa_policy
  aa_namespace: aa_namespace
  apparmor_entry: apparmor_entry
  autofs_entry: autofs_entry
  binfmt_misc_entry: binfmt_misc_entry
  bpfmap_data_entry: bpfmap_data_entry
  bpfmap_file_entry: bpfmap_file_entry
  cgroup_perms: cgroup_perms
  cgroup_prop_entry: cgroup_prop_entry
  cgroup_dir_entry: cgroup_dir_entry
  cg_controller_entry: cg_controller_entry
  cg_member_entry: cg_member_entry
  cg_set_entry: cg_set_entry
  cgroup_entry: cgroup_entry
  task_core_entry: task_core_entry
  task_kobj_ids_entry: task_kobj_ids_entry
  thread_sas_entry: thread_sas_entry
  thread_core_entry: thread_core_entry
  task_rlimits_entry: task_rlimits_entry
  core_entry: core_entry
  user_aarch64_regs_entry: user_aarch64_regs_entry
  user_aarch64_fpsimd_context_entry: user_aarch64_fpsimd_context_entry
  pac_address_keys: pac_address_keys
  pac_generic_keys: pac_generic_keys
  pac_keys: pac_keys
  thread_info_aarch64: thread_info_aarch64
  user_arm_regs_entry: user_arm_regs_entry
  user_arm_vfpstate_entry: user_arm_vfpstate_entry
  thread_info_arm: thread_info_arm
  user_loongarch64_gpregs_entry: user_loongarch64_gpregs_entry
  user_loongarch64_fpregs_entry: user_loongarch64_fpregs_entry
  thread_info_loongarch64: thread_info_loongarch64
  user_mips_regs_entry: user_mips_regs_entry
  user_mips_fpregs_entry: user_mips_fpregs_entry
  thread_info_mips: thread_info_mips
  user_ppc64_regs_entry: user_ppc64_regs_entry
  user_ppc64_fpstate_entry: user_ppc64_fpstate_entry
  user_ppc64_vrstate_entry: user_ppc64_vrstate_entry
  user_ppc64_vsxstate_entry: user_ppc64_vsxstate_entry
  user_ppc64_tm_regs_entry: user_ppc64_tm_regs_entry
  thread_info_ppc64: thread_info_ppc64
  user_riscv64_regs_entry: user_riscv64_regs_entry
  user_riscv64_d_ext_entry: user_riscv64_d_ext_entry
  thread_info_riscv64: thread_info_riscv64
  user_s390_regs_entry: user_s390_regs_entry
  user_s390_vxrs_low_entry: user_s390_vxrs_low_entry
  user_s390_vxrs_high_entry: user_s390_vxrs_high_entry
  user_s390_fpregs_entry: user_s390_fpregs_entry
  user_s390_gs_cb_entry: user_s390_gs_cb_entry
  user_s390_ri_entry: user_s390_ri_entry
  thread_info_s390: thread_info_s390
  user_x86_regs_entry: user_x86_regs_entry
  user_x86_cet_entry: user_x86_cet_entry
  user_x86_xsave_entry: user_x86_xsave_entry
  user_x86_fpregs_entry: user_x86_fpregs_entry
  user_desc_t: user_desc_t
  thread_info_x86: thread_info_x86
  cpuinfo_x86_entry: cpuinfo_x86_entry
  cpuinfo_ppc64_entry: cpuinfo_ppc64_entry
  cpuinfo_s390_entry: cpuinfo_s390_entry
  cpuinfo_entry: cpuinfo_entry
  creds_entry: creds_entry
  criuts_timer_extra: criuts_timer_extra
  criuts_speculation: criuts_speculation
  criuts_mempolicy: criuts_mempolicy
  criuts_thread_extra: criuts_thread_extra
  criuts_vma_extra: criuts_vma_extra
  criuts_semadj: criuts_semadj
  criuts_task_extra: criuts_task_extra
  criuts_shm: criuts_shm
  criuts_sem: criuts_sem
  criuts_msg: criuts_msg
  criuts_ipc: criuts_ipc
  criuts_mqueue_file: criuts_mqueue_file
  criuts_mqueue_message: criuts_mqueue_message
  criuts_mqueue: criuts_mqueue
  criuts_membership: criuts_membership
  criuts_memberships: criuts_memberships
  criuts_datagram: criuts_datagram
  criuts_userfaultfd_range: criuts_userfaultfd_range
  criuts_userfaultfd: criuts_userfaultfd
  criuts_uring_buffer: criuts_uring_buffer
  criuts_uring_file: criuts_uring_file
  criuts_uring: criuts_uring
  criuts_packet_ring_run: criuts_packet_ring_run
  criuts_packet_ring: criuts_packet_ring
  criuts_tun_queue: criuts_tun_queue
  eventfd_file_entry: eventfd_file_entry
  eventpoll_tfd_entry: eventpoll_tfd_entry
  eventpoll_file_entry: eventpoll_file_entry
  ext_file_entry: ext_file_entry
  fdinfo_entry: fdinfo_entry
  file_entry: file_entry
  fh_entry: fh_entry
  irmap_cache_entry: irmap_cache_entry
  fifo_entry: fifo_entry
  file_lock_entry: file_lock_entry
  fown_entry: fown_entry
  fs_entry: fs_entry
  inotify_wd_entry: inotify_wd_entry
  inotify_file_entry: inotify_file_entry
  fanotify_inode_mark_entry: fanotify_inode_mark_entry
  fanotify_mount_mark_entry: fanotify_mount_mark_entry
  fanotify_mark_entry: fanotify_mark_entry
  fanotify_file_entry: fanotify_file_entry
  ghost_file_entry: ghost_file_entry
  ghost_chunk_entry: ghost_chunk_entry
  img_streamer_request_entry: img_streamer_request_entry
  img_streamer_reply_entry: img_streamer_reply_entry
  plugins_entry: plugins_entry
  inventory_entry: inventory_entry
  ipc_desc_entry: ipc_desc_entry
  ipc_msg: ipc_msg
  ipc_msg_entry: ipc_msg_entry
  ipc_sem_entry: ipc_sem_entry
  ipc_shm_entry: ipc_shm_entry
  ipc_var_entry: ipc_var_entry
  macvlan_link_entry: macvlan_link_entry
  memfd_file_entry: memfd_file_entry
  memfd_inode_entry: memfd_inode_entry
  aio_ring_entry: aio_ring_entry
  mm_entry: mm_entry
  mnt_entry: mnt_entry
  net_device_entry: net_device_entry
  netns_id: netns_id
  netns_entry: netns_entry
  ns_file_entry: ns_file_entry
  packet_mclist: packet_mclist
  packet_ring: packet_ring
  packet_sock_entry: packet_sock_entry
  pagemap_head: pagemap_head
  pagemap_entry: pagemap_entry
  pidfd_entry: pidfd_entry
  pidns_entry: pidns_entry
  pipe_entry: pipe_entry
  pipe_data_entry: pipe_data_entry
  pstree_entry: pstree_entry
  reg_file_entry: reg_file_entry
  remap_file_path_entry: remap_file_path_entry
  rlimit_entry: rlimit_entry
  criu_page_server_info: criu_page_server_info
  criu_veth_pair: criu_veth_pair
  ext_mount_map: ext_mount_map
  join_namespace: join_namespace
  inherit_fd: inherit_fd
  cgroup_root: cgroup_root
  unix_sk: unix_sk
  criu_opts: criu_opts
  criu_dump_resp: criu_dump_resp
  criu_restore_resp: criu_restore_resp
  criu_notify: criu_notify
  criu_features: criu_features
  criu_req: criu_req
  criu_resp: criu_resp
  criu_version: criu_version
  rseq_entry: rseq_entry
  sa_entry: sa_entry
  seccomp_filter: seccomp_filter
  seccomp_entry: seccomp_entry
  siginfo_entry: siginfo_entry
  signal_queue_entry: signal_queue_entry
  signalfd_entry: signalfd_entry
  sit_entry: sit_entry
  ip_opts_raw_entry: ip_opts_raw_entry
  ip_opts_entry: ip_opts_entry
  inet_sk_entry: inet_sk_entry
  netlink_sk_entry: netlink_sk_entry
  sk_opts_entry: sk_opts_entry
  scm_entry: scm_entry
  sk_packet_entry: sk_packet_entry
  file_perms_entry: file_perms_entry
  unix_sk_entry: unix_sk_entry
  dump_stats_entry: dump_stats_entry
  restore_stats_entry: restore_stats_entry
  stats_entry: stats_entry
  sysctl_entry: sysctl_entry
  tcp_opts_entry: tcp_opts_entry
  tcp_stream_entry: tcp_stream_entry
  timeval: timeval
  timespec: timespec
  timens_entry: timens_entry
  itimer_entry: itimer_entry
  posix_timer_entry: posix_timer_entry
  task_timers_entry: task_timers_entry
  timerfd_entry: timerfd_entry
  winsize_entry: winsize_entry
  termios_entry: termios_entry
  tty_pty_entry: tty_pty_entry
  tty_data_entry: tty_data_entry
  tty_info_entry: tty_info_entry
  tty_file_entry: tty_file_entry
  tunfile_entry: tunfile_entry
  tun_link_entry: tun_link_entry
  uid_gid_extent: uid_gid_extent
  userns_entry: userns_entry
  utsns_entry: utsns_entry
  vma_entry: vma_entry
}

import { i32, layout, pointer, u8, u16, u32, u64 } from './layout.ts'

/** struct ptrace_peeksiginfo_args (linux/ptrace.h). */
export const ptracePeeksiginfoArgs = layout({
  /** Place in the queue to start at. */
  off: u64,
  flags: u32,
  nr: i32,
})

/** struct ptrace_rseq_configuration (since Linux 5.13). */
export const ptraceRseqConfiguration = layout({
  rseq_abi_pointer: u64,
  rseq_abi_size: u32,
  signature: u32,
  flags: u32,
  pad: u32,
})

/** struct ptrace_syscall_info with the fields of an entry. `arch` is at 4. */
export const ptraceSyscallEntry = layout({
  op: u8,
  reserved: u8,
  flags: u16,
  arch: u32,
  instruction_pointer: u64,
  stack_pointer: u64,
  nr: u64,
  arg0: u64,
  arg1: u64,
  arg2: u64,
  arg3: u64,
  arg4: u64,
  arg5: u64,
})

/** struct ptrace_syscall_info with the fields of an exit. */
export const ptraceSyscallExit = layout({
  op: u8,
  reserved: u8,
  flags: u16,
  arch: u32,
  instruction_pointer: u64,
  stack_pointer: u64,
  /** The result as a signed number, or −errno when is_error. */
  rval: u64,
  is_error: u8,
})

/** struct seccomp_metadata (linux/ptrace.h): PTRACE_SECCOMP_GET_METADATA. */
export const seccompMetadata = layout({ filter_off: u64, flags: u64 })

/** struct sock_filter (linux/filter.h): one instruction of classic BPF. */
export const sockFilter = layout({ code: u16, jt: u8, jf: u8, k: u32 })

/** struct sock_fprog: SECCOMP_SET_MODE_FILTER, SO_ATTACH_FILTER. */
export const sockFprog = layout({ len: u16, filter: pointer })

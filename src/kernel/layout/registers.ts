import { array, bytes, layout, u16, u32, u64 } from './layout.ts'

/** struct user_regs_struct of x86-64 (sys/user.h): PTRACE_GETREGS, NT_PRSTATUS. */
export const userRegs = layout({
  r15: u64,
  r14: u64,
  r13: u64,
  r12: u64,
  rbp: u64,
  rbx: u64,
  r11: u64,
  r10: u64,
  r9: u64,
  r8: u64,
  rax: u64,
  rcx: u64,
  rdx: u64,
  rsi: u64,
  rdi: u64,
  orig_rax: u64,
  rip: u64,
  cs: u64,
  eflags: u64,
  rsp: u64,
  ss: u64,
  fs_base: u64,
  gs_base: u64,
  ds: u64,
  es: u64,
  fs: u64,
  gs: u64,
})

/** struct user_regs_struct of i386: what NT_PRSTATUS gives of a task in 32-bit code, 68 bytes. */
export const userRegs32 = layout({
  ebx: u32,
  ecx: u32,
  edx: u32,
  esi: u32,
  edi: u32,
  ebp: u32,
  eax: u32,
  ds: u32,
  es: u32,
  fs: u32,
  gs: u32,
  orig_eax: u32,
  eip: u32,
  cs: u32,
  eflags: u32,
  esp: u32,
  ss: u32,
})

/** struct user_fpregs_struct of x86-64, the legacy part of FXSAVE and XSAVE: 512 bytes. */
export const userFpregs = layout({
  cwd: u16,
  swd: u16,
  twd: u16,
  fop: u16,
  rip: u64,
  rdp: u64,
  mxcsr: u32,
  mxcsr_mask: u32,
  st_space: array(u32, 32),
  xmm_space: array(u32, 64),
  /** The kernel writes magic, size and features into its last 48 bytes (sw_reserved). */
  padding: array(u32, 24),
})

/** struct _fpx_sw_bytes (asm/sigcontext.h): the last 48 bytes of the legacy part. */
export const fpxSwBytes = layout({
  magic1: u32,
  extended_size: u32,
  xfeatures: u64,
  xstate_size: u32,
  padding: array(u32, 7),
})

/** struct _xstate header (Intel SDM 1, 13.4.2): 64 bytes that follow the legacy part. */
export const xsaveHeader = layout({ xstate_bv: u64, xcomp_bv: u64, reserved: array(u64, 6) })

/** What is at the start of the area of NT_X86_XSTATE: 576 bytes; extended components follow. */
export const xsaveArea = layout({ legacy: userFpregs, header: xsaveHeader })

/** struct user_desc (asm/ldt.h): NT_386_TLS, set_thread_area, modify_ldt. `flags` are bit fields. */
export const userDesc = layout({ entry_number: u32, base_addr: u32, limit: u32, flags: u32 })

/** struct user_fpxregs_struct is the same 512 bytes; kept raw where only copied. */
export const fxsaveBytes = layout({ raw: bytes(512) })

/** linux/elf.h. */

/** Register sets of PTRACE_GETREGSET, types of notes in core files. */
export const NT = {
  PRSTATUS: 0x1,
  PRFPREG: 0x2,
  PRPSINFO: 0x3,
  TASKSTRUCT: 0x4,
  AUXV: 0x6,
  I386_TLS: 0x200,
  I386_IOPERM: 0x201,
  X86_XSTATE: 0x202,
  X86_SHSTK: 0x204,
  FILE: 0x46494c45,
  PRXFPREG: 0x46e62b7f,
  SIGINFO: 0x53494749,
} as const

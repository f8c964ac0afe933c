import type { Messages } from '../../images/gen/messages.ts'
import { type RegisterName, Registers } from './registers.ts'

type Gpregs = Messages['user_x86_regs_entry']

/** Names of the images beside the kernel's. */
const FIELDS = {
  r15: 'r15',
  r14: 'r14',
  r13: 'r13',
  r12: 'r12',
  bp: 'rbp',
  bx: 'rbx',
  r11: 'r11',
  r10: 'r10',
  r9: 'r9',
  r8: 'r8',
  ax: 'rax',
  cx: 'rcx',
  dx: 'rdx',
  si: 'rsi',
  di: 'rdi',
  orig_ax: 'orig_rax',
  ip: 'rip',
  cs: 'cs',
  flags: 'eflags',
  sp: 'rsp',
  ss: 'ss',
  fs_base: 'fs_base',
  gs_base: 'gs_base',
  ds: 'ds',
  es: 'es',
  fs: 'fs',
  gs: 'gs',
} as const satisfies Record<string, RegisterName>

const FIELD_LIST = Object.entries(FIELDS) as [keyof typeof FIELDS, RegisterName][]

/** user_x86_regs_mode of the images. */
const MODE = { NATIVE: 1, COMPAT: 2 } as const

/** General registers as the images hold them. */
export function encodeGpregs(registers: Registers): Gpregs {
  const entry: Partial<Gpregs> = { mode: registers.isCompat ? MODE.COMPAT : MODE.NATIVE }
  for (const [field, register] of FIELD_LIST) entry[field] = registers.get(register)
  return entry as Gpregs
}

/** The inverse of {@link encodeGpregs}. */
export function decodeGpregs(entry: Gpregs): Registers {
  const registers = new Registers()
  for (const [field, register] of FIELD_LIST) registers.set(register, entry[field])
  return registers
}

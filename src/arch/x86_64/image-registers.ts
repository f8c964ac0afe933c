import type { Init } from '../../images/codec.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { Errno } from '../../kernel/errno.ts'
import { type RegisterName, Registers } from './registers.ts'

/** General registers between struct user_regs_struct and the images. */
type RegsEntry = Messages['user_x86_regs_entry']

/** Fields of the image whose register has another name. */
const FIELDS = [
  ['r15', 'r15'],
  ['r14', 'r14'],
  ['r13', 'r13'],
  ['r12', 'r12'],
  ['bp', 'rbp'],
  ['bx', 'rbx'],
  ['r11', 'r11'],
  ['r10', 'r10'],
  ['r9', 'r9'],
  ['r8', 'r8'],
  ['ax', 'rax'],
  ['cx', 'rcx'],
  ['dx', 'rdx'],
  ['si', 'rsi'],
  ['di', 'rdi'],
  ['orig_ax', 'orig_rax'],
  ['ip', 'rip'],
  ['cs', 'cs'],
  ['flags', 'eflags'],
  ['sp', 'rsp'],
  ['ss', 'ss'],
  ['fs_base', 'fs_base'],
  ['gs_base', 'gs_base'],
  ['ds', 'ds'],
  ['es', 'es'],
  ['fs', 'fs'],
  ['gs', 'gs'],
] as const satisfies readonly (readonly [keyof RegsEntry, RegisterName])[]

/** user_x86_regs_mode */
const NATIVE = 1
const COMPAT = 2

export const isCompat = (entry: RegsEntry): boolean => entry.mode === COMPAT

export function encodeRegisters(registers: Registers): Init<RegsEntry> {
  const entry = Object.fromEntries(FIELDS.map(([field, name]) => [field, registers.get(name)]))
  return { ...entry, mode: registers.isCompat ? COMPAT : NATIVE } as Init<RegsEntry>
}

/** The registers as they are in the image, with an interrupted system call still in them. */
export function decodeRegisters(entry: RegsEntry): Registers {
  const registers = new Registers()
  for (const [field, name] of FIELDS) registers.set(name, entry[field])
  return registers
}

/** Results that never leave the kernel: what a system call that a signal interrupted ends in. */
const RESTART = { SYS: 512n, NOINTR: 513n, NOHAND: 514n, BLOCK: 516n } as const

/** poll: with a negative timeout (an int) the call can simply be made again. */
const POLL = 7n

/**
 * Registers to let a thread go with. A system call that was interrupted is made again where that is
 * what the kernel would do (ERESTARTSYS, …NOINTR, …NOHAND). After ERESTART_RESTARTBLOCK the time that was
 * left is known to the dumped kernel alone: the call returns EINTR, as it does under upstream, except
 * for a poll without a timeout, which loses nothing by beginning again. orig_rax becomes −1, so that
 * no kernel takes the registers for those of a system call.
 */
export function registersToGoOn(entry: RegsEntry): Registers {
  const registers = decodeRegisters(entry)
  const call = BigInt.asIntN(64, registers.get('orig_rax'))
  if (call < 0n) return registers
  const error = -BigInt.asIntN(64, registers.get('rax'))
  const going = registers.with({ orig_rax: -1n })
  const again = { rax: registers.get('orig_rax'), rip: registers.get('rip') - 2n }
  switch (error) {
    case RESTART.SYS:
    case RESTART.NOINTR:
    case RESTART.NOHAND:
      return going.with(again)
    case RESTART.BLOCK:
      if (call === POLL && BigInt.asIntN(32, registers.get('rdx')) < 0n) return going.with(again)
      return going.with({ rax: BigInt(-Errno.EINTR) })
    default:
      return going
  }
}

import type { Messages } from '../../images/gen/messages.ts'
import { Errno } from '../../kernel/errno.ts'
import { decodeGpregs } from './core-registers.ts'
import type { Registers } from './registers.ts'
import { callOf, resultOf, timedCall } from './timed-calls.ts'

type RegsEntry = Messages['user_x86_regs_entry']

/** user_x86_regs_mode: code of 32 bits. */
const COMPAT = 2

export const isCompat = (entry: RegsEntry): boolean => entry.mode === COMPAT

/** With a negative timeout (an int, in edx in both ABIs) it can simply be made again. */
const isPoll = (call: number, registers: Registers): boolean =>
  timedCall(call, registers.isCompat)?.kind === 'poll'

/** Results that never leave the kernel: what a system call that a signal interrupted ends in. */
const RESTART = { SYS: 512n, NOINTR: 513n, NOHAND: 514n, BLOCK: 516n } as const

/**
 * Registers to let a thread go with. A system call that was interrupted is made again where that is
 * what the kernel would do (ERESTARTSYS, …NOINTR, …NOHAND). After ERESTART_RESTARTBLOCK the time that was
 * left is known to the dumped kernel alone: the call returns EINTR, as it does under upstream, except
 * for a poll without a timeout, which loses nothing by beginning again. orig_rax becomes −1, so that
 * no kernel takes the registers for those of a system call.
 */
export function registersToGoOn(entry: RegsEntry): Registers {
  const registers = decodeGpregs(entry)
  const call = callOf(registers)
  if (call < 0) return registers
  const error = -resultOf(registers)
  const going = registers.with({ orig_rax: -1n })
  const again = { rax: registers.get('orig_rax'), rip: registers.get('rip') - 2n }
  switch (error) {
    case RESTART.SYS:
    case RESTART.NOINTR:
    case RESTART.NOHAND:
      return going.with(again)
    case RESTART.BLOCK:
      if (isPoll(call, registers) && BigInt.asIntN(32, registers.get('rdx')) < 0n)
        return going.with(again)
      return going.with({ rax: BigInt(-Errno.EINTR) })
    default:
      return going
  }
}

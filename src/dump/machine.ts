import { encodeGpregs } from '../arch/x86_64/core-registers.ts'
import { restartedRegisters } from '../arch/x86_64/infection.ts'
import type { Registers } from '../arch/x86_64/registers.ts'
import { encodeFpregs, XSTATE_MAX } from '../arch/x86_64/xstate.ts'
import { Errno } from '../kernel/errno.ts'
import { getRegset, NT_X86_XSTATE } from '../kernel/ptrace.ts'
import type { DumpThread } from '../resources/dump-model.ts'

/**
 * Registers as the images hold them: a system call that a signal interrupts is set to be called again.
 * One that would go on through the kernel's restart block (−516) ends with EINTR there, since no
 * restorer of upstream's knows more; `restart-calls.ts` keeps what is needed to go on with the rest of
 * its time.
 */
export function imageRegisters(registers: Registers): Registers {
  const inCall = BigInt.asIntN(64, registers.get('orig_rax')) >= 0n
  const result = -BigInt.asIntN(64, registers.get('rax'))
  if (inCall && result === BigInt(Errno.ERESTART_RESTARTBLOCK))
    return registers.with({ rax: -BigInt(Errno.EINTR) })
  return restartedRegisters(registers)
}

/** General registers and extended state of a stopped thread. */
export function collectMachine(thread: DumpThread): void {
  const { registers, tid } = thread.seized
  thread.machine.gpregs = encodeGpregs(imageRegisters(registers))
  thread.machine.fpregs = encodeFpregs(getRegset(tid, NT_X86_XSTATE, XSTATE_MAX))
  thread.machine.tls = []
}

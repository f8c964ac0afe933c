import { encodeGpregs } from '../arch/x86_64/core-registers.ts'
import { restartedRegisters } from '../arch/x86_64/infection.ts'
import type { Registers } from '../arch/x86_64/registers.ts'
import { callOf, resultOf } from '../arch/x86_64/timed-calls.ts'
import { encodeFpregs, XSTATE_MAX } from '../arch/x86_64/xstate.ts'
import { Errno } from '../kernel/errno.ts'
import { getRegset, NT_X86_XSTATE } from '../kernel/ptrace.ts'
import { getThreadAreas } from '../kernel/thread-area.ts'
import type { DumpThread } from '../resources/dump-model.ts'
import type { RestartCall } from './restart-calls.ts'

/**
 * Registers as the images hold them: a system call that a signal interrupts is set to be called again.
 * One that would go on through the kernel's restart block (−516) ends with EINTR there where it has a
 * timeout, since no restorer of upstream's knows more; our own goes on with the rest of its time.
 */
export function imageRegisters(registers: Registers, restart: RestartCall | undefined): Registers {
  const inCall = callOf(registers) >= 0
  if (!inCall || resultOf(registers) !== -BigInt(Errno.ERESTART_RESTARTBLOCK))
    return restartedRegisters(registers)
  if (!restart || restart.remaining !== undefined)
    return registers.with({ rax: -BigInt(Errno.EINTR) })
  return registers.with({ rax: BigInt(restart.nr), rip: registers.get('rip') - 2n })
}

/** General registers and extended state of a stopped thread. */
export function collectMachine(thread: DumpThread, restart: RestartCall | undefined): void {
  const { registers, tid } = thread.seized
  thread.machine.gpregs = encodeGpregs(imageRegisters(registers, restart))
  thread.machine.fpregs = encodeFpregs(getRegset(tid, NT_X86_XSTATE, XSTATE_MAX))
  thread.machine.tls = getThreadAreas(tid)
}

import { exitElf32 } from '../arch/x86_64/stub-elf32.ts'
import { AT } from './constants/fcntl.ts'
import { MFD } from './constants/mman.ts'
import { CLONE } from './constants/sched.ts'
import { SIG } from './constants/signals.ts'
import { cloneArgs } from './layout/sched.ts'
import { scratch } from './memory.ts'
import { checked, close, must, spawnTable, sys } from './sys.ts'
import { Table } from './table.ts'
import { hostPid } from './types.ts'
import { waitStop } from './wait.ts'

let known: boolean | undefined

/**
 * Whether this kernel runs programs of 32 bits (CONFIG_IA32_EMULATION, and not switched off at boot).
 * Tried out by such a program, since `int 0x80` would kill us where it does not.
 */
export function runsIa32(): boolean {
  known ??= tryProgram()
  return known
}

function tryProgram(): boolean {
  using s = scratch()
  const name = s.string('ia32')
  let fd = sys('memfd_create', name, MFD.CLOEXEC | MFD.EXEC)
  if (fd < 0) fd = must('memfd_create', name, MFD.CLOEXEC)
  try {
    const image = exitElf32()
    must('write', fd, s.put(image).address, image.length)
    const table = new Table(s.take(1024))
    const argv = table.space(16)
    argv.view.setBigUint64(0, table.string('ia32').address, true)
    table.call('execveat', fd, table.string(''), argv, table.space(8), AT.EMPTY_PATH)
    const args = cloneArgs.encode({
      flags: CLONE.VM | CLONE.VFORK | CLONE.CLEAR_SIGHAND,
      exit_signal: BigInt(SIG.CHLD),
    })
    const stop = waitStop(hostPid(checked(spawnTable(args, table), 'clone3')))
    return stop.kind === 'exited' && stop.code === 0
  } finally {
    close(fd)
  }
}

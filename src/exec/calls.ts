import { Syscall, type SyscallName } from '../arch/x86_64/syscalls.ts'

/** Names of all system calls. */
export const callNames = Object.keys(Syscall) as readonly SyscallName[]

export const isCall = (name: string): name is SyscallName => Object.hasOwn(Syscall, name)

/** Why a call is not run: what it would do to the task, or that it would do nothing. */
const REFUSED: ReadonlyMap<SyscallName, string> = new Map<SyscallName, string>([
  ['exit', 'would end the thread'],
  ['exit_group', 'would end the process'],
  ['execve', 'would replace the program, which could not go on where it was'],
  ['execveat', 'would replace the program, which could not go on where it was'],
  ['fork', 'would make a process that begins in code of criu'],
  ['vfork', 'would make a process that begins in code of criu'],
  ['clone', 'would make a task that begins in code of criu'],
  ['clone3', 'would make a task that begins in code of criu'],
  ['rt_sigreturn', 'would take registers from a stack where there are none'],
  ['restart_syscall', 'would go on with a call that the task itself goes on with'],
  ['rt_sigprocmask', 'has no effect: the signal mask is given back as it was'],
  ['arch_prctl', 'has no effect: the registers are given back as they were'],
  ['iopl', 'has no effect: the registers are given back as they were'],
])

/** A predicate of the call; undefined: it may be run. */
export const whyRefused = (name: SyscallName): string | undefined => REFUSED.get(name)

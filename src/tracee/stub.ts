import { USER_CS } from '../arch/x86_64/registers.ts'
import { STUB_SYSCALL, stubElf } from '../arch/x86_64/stub-elf.ts'
import { Syscall, type SyscallName } from '../arch/x86_64/syscalls.ts'
import { fail } from '../errors/error.ts'
import { AT, F } from '../kernel/constants/fcntl.ts'
import { MAP, PROT } from '../kernel/constants/mman.ts'
import { PTRACE, PTRACE_O } from '../kernel/constants/ptrace.ts'
import { CLONE } from '../kernel/constants/sched.ts'
import { NSIG, SIG, SIG_HOW } from '../kernel/constants/signals.ts'
import { Errno } from '../kernel/errno.ts'
import { cloneArgs } from '../kernel/layout/sched.ts'
import { kernelSigaction } from '../kernel/layout/signals.ts'
import { type Scratch, scratch } from '../kernel/memory.ts'
import {
  getRegisters,
  interrupt,
  ptrace,
  resume,
  resumeToSyscall,
  setRegisters,
} from '../kernel/ptrace.ts'
import { checked, close, must, spawnTable, sys } from '../kernel/sys.ts'
import { Table } from '../kernel/table.ts'
import { type HostPid, hostPid, type LocalFd, type NsPid } from '../kernel/types.ts'
import { waitStop } from '../kernel/wait.ts'
import { memoryFile, type StubArena } from './stub-arena.ts'
import { failPidTaken } from './stub-conflict.ts'
import { expectStop } from './thread.ts'

const ALL_FDS = 0xffff_ffff
const CLOSE_RANGE_CLOEXEC = 4
const SIGSET_SIZE = 8
/** Bytes for the table of the first task, apart from a record for each descriptor that it keeps. */
const TABLE_BASE = 32 * 1024
const TABLE_PER_FD = 64

export interface FirstTask {
  readonly nsPid: NsPid
  /** Make it a child of our own parent. */
  readonly sibling: boolean
  /** Our descriptors that it and all tasks cloned from it keep, at the same numbers. */
  readonly keep: readonly LocalFd[]
  /** Of no use to any task: numbers from here on are free for what only we need. */
  readonly ownFds: number
}

/**
 * Makes the first task: a clone that shares our memory until its exec and stops us until then, which
 * runs one table and becomes the stub. It is held by ptrace when this returns, with EXITKILL.
 */
export function spawnStub(first: FirstTask): HostPid {
  using s = scratch()
  const elf = memoryFile('criu', first.ownFds)
  try {
    must('write', elf, s.put(stubElf()).address, stubElf().length)
    const table = stubTable(s, first, elf)
    const result = spawnTable(cloneArguments(s, first), table)
    if (result === -Errno.EEXIST) failPidTaken(first.nsPid)
    const pid = hostPid(checked(result, 'clone3 of the first task', pidHint(first.nsPid)))
    const failure = table.failure()
    if (failure) {
      waitStop(pid)
      checked(-failure.errno, 'start of the first task')
    }
    try {
      seize(pid)
      checked(singleCall(pid, STUB_SYSCALL, 'alarm', [0n]), 'alarm', { pid })
    } catch (error) {
      // Not held yet: it would outlive us.
      sys('kill', pid, SIG.KILL)
      waitStop(pid)
      throw error
    }
    return pid
  } finally {
    close(elf)
  }
}

const pidHint = (pid: NsPid) => ({
  kind: `pid ${pid}`,
  remedy: 'a pid can be chosen below /proc/sys/kernel/pid_max, with CAP_CHECKPOINT_RESTORE',
})

function cloneArguments(s: Scratch, { nsPid, sibling }: FirstTask): Uint8Array {
  const pid = s.take(4)
  pid.view.setInt32(0, nsPid, true)
  return cloneArgs.encode({
    flags: CLONE.VM | CLONE.VFORK | (sibling ? CLONE.PARENT : 0n),
    exit_signal: sibling ? 0n : BigInt(SIG.CHLD),
    set_tid: pid.address,
    set_tid_size: 1n,
  })
}

/** Until we hold it, EXITKILL does not end it when we are killed: its own alarm does. */
const UNHELD_SECONDS = 5

/** What the first task does before its exec: it drops all that it has of us. */
function stubTable(s: Scratch, first: FirstTask, elf: LocalFd): Table {
  const table = new Table(s.take(TABLE_BASE + TABLE_PER_FD * first.keep.length))
  table.call('close_range', 0, ALL_FDS, CLOSE_RANGE_CLOEXEC)
  for (const fd of first.keep) table.call('fcntl', fd, F.SETFD, 0)
  const byDefault = table.space(kernelSigaction.size)
  for (let signal = 1; signal <= NSIG; signal++)
    if (signal !== SIG.KILL && signal !== SIG.STOP)
      table.call('rt_sigaction', signal, byDefault, 0, SIGSET_SIZE)
  table.call('rt_sigprocmask', SIG_HOW.SETMASK, table.space(SIGSET_SIZE), 0, SIGSET_SIZE)
  table.call('alarm', UNHELD_SECONDS)
  const argv = table.space(16)
  argv.view.setBigUint64(0, table.string('criu').address, true)
  const environment = table.space(8)
  table.call('execveat', elf, table.string(''), argv, environment, AT.EMPTY_PATH)
  return table
}

const OPTIONS =
  PTRACE_O.EXITKILL |
  PTRACE_O.TRACECLONE |
  PTRACE_O.TRACEFORK |
  PTRACE_O.TRACEVFORK |
  PTRACE_O.TRACESYSGOOD

function seize(pid: HostPid): void {
  // Without seccomp, or without the capability for it, there is nothing to suspend.
  let result = ptrace(PTRACE.SEIZE, pid, 0, OPTIONS | PTRACE_O.SUSPEND_SECCOMP)
  if (result < 0) result = ptrace(PTRACE.SEIZE, pid, 0, OPTIONS)
  checked(result, 'ptrace(SEIZE) of the first task', { pid })
  interrupt(pid)
  for (;;) {
    const stop = waitStop(pid)
    if (stop.kind === 'interrupt') return
    if (stop.kind === 'exited' || stop.kind === 'killed')
      fail({ code: 'vanished', pid, reason: 'the first task died at once' })
    resume(pid)
  }
}

/** A fresh stub, stopped, maps the arena: one call at the stub's own instruction. */
export function mapArena(pid: HostPid, arena: StubArena, instruction = STUB_SYSCALL): void {
  const flags = MAP.SHARED | MAP.FIXED_NOREPLACE
  const prot = PROT.READ | PROT.WRITE | PROT.EXEC
  const args = [
    arena.address,
    BigInt(arena.size),
    BigInt(prot),
    BigInt(flags),
    BigInt(arena.fd),
    0n,
  ]
  const result = singleCall(pid, instruction, 'mmap', args)
  checked(result, 'mmap of the arena', { pid })
}

/**
 * One system call in a stopped task, at a `syscall` instruction of its own, caught at its exit: the
 * task is left in that stop.
 */
export function singleCall(
  pid: HostPid,
  instruction: bigint,
  name: SyscallName,
  args: readonly bigint[],
  rsp?: bigint,
): number {
  const [rdi = 0n, rsi = 0n, rdx = 0n, r10 = 0n, r8 = 0n, r9 = 0n] = args
  const rax = BigInt(Syscall[name])
  const registers = getRegisters(pid)
  const call = { cs: USER_CS, rip: instruction, orig_rax: -1n, rax, rdi, rsi, rdx, r10, r8, r9 }
  setRegisters(pid, registers.with(rsp === undefined ? call : { ...call, rsp }))
  // Its entry, then its exit. A signal that comes between is none of the task's: dropped.
  for (let stops = 0; stops < 2; ) {
    resumeToSyscall(pid)
    const stop = waitStop(pid)
    if (stop.kind === 'syscall') stops++
    else if (stop.kind === 'exited' || stop.kind === 'killed') expectStop(pid, 'syscall')
  }
  return Number(BigInt.asIntN(64, getRegisters(pid).get('rax')))
}

import { fail } from '../../errors/error.ts'
import { KCMP } from '../../kernel/constants/kcmp.ts'
import { MFD } from '../../kernel/constants/mman.ts'
import { PR, PR_TIMER_CREATE_RESTORE_IDS } from '../../kernel/constants/prctl.ts'
import { PTRACE, PTRACE_PEEKSIGINFO } from '../../kernel/constants/ptrace.ts'
import { SIG } from '../../kernel/constants/signals.ts'
import { CLOCK } from '../../kernel/constants/time.ts'
import { Errno } from '../../kernel/errno.ts'
import { ptracePeeksiginfoArgs, ptraceRseqConfiguration } from '../../kernel/layout/ptrace.ts'
import { cloneArgs } from '../../kernel/layout/sched.ts'
import { scratch } from '../../kernel/memory.ts'
import { readProcFile, tryReadProcFile } from '../../kernel/proc/read.ts'
import {
  detachIfAlive,
  getRegisters,
  getSignalMask,
  interrupt,
  mustPtrace,
  setRegisters,
  setSignalMask,
} from '../../kernel/ptrace.ts'
import { checked, must, owned, spawnTable, sys } from '../../kernel/sys.ts'
import { Table } from '../../kernel/table.ts'
import { type HostPid, hostPid, nsPid } from '../../kernel/types.ts'
import { waitStop } from '../../kernel/wait.ts'
import { waitForEnd } from '../../tracee/release.ts'
import { spawnStub } from '../../tracee/stub.ts'
import type { Feature } from '../feature.ts'
import { freePid, type Ground, type HeldChild } from '../ground.ts'

/** A child that we hold by ptrace, stopped. */
export function withTracee<T>(ground: Ground, use: (child: HeldChild) => T, options = 0): T {
  using child = ground.hold(0n, () => {})
  mustPtrace('ptrace(SEIZE)', PTRACE.SEIZE, child.pid, 0, options)
  interrupt(child.pid)
  const stop = waitStop(child.pid)
  if (stop.kind !== 'interrupt')
    fail({ code: 'conflict', reason: 'PTRACE_INTERRUPT did not stop it' })
  try {
    return use(child)
  } finally {
    detachIfAlive(child.pid)
  }
}

/** So many pids are tried: another process may take one meanwhile. */
const TRIES = 10

/** The pids that are free now, one after the other, until one was not taken by somebody else. */
function withFreePid(attempt: (pid: number) => number): number {
  for (let tries = 1; ; tries++) {
    const result = attempt(freePid())
    if (result !== -Errno.EEXIST || tries === TRIES) return result
  }
}

function cloneWithPid(pid: number): number {
  using s = scratch()
  const table = new Table(s.take(256))
  table.call('exit_group', 0)
  const wanted = s.take(4)
  wanted.view.setInt32(0, pid, true)
  const args = cloneArgs.encode({
    exit_signal: BigInt(SIG.CHLD),
    set_tid: wanted.address,
    set_tid_size: 1n,
  })
  return spawnTable(args, table)
}

function checkTimers(): void {
  using s = scratch()
  const id = s.take(4)
  must('timer_create', CLOCK.MONOTONIC, 0, id.address)
  const number = id.view.getInt32(0, true)
  const text = tryReadProcFile('/proc/self/timers') ?? ''
  sys('timer_delete', number)
  if (!new RegExp(`^ID: ${number}$`, 'm').test(text))
    fail({ code: 'conflict', reason: '/proc/PID/timers does not tell of a timer' })
}

/** The first task of a restore is made as a restore makes it, and killed. */
function startTask(pid: number): HostPid {
  return spawnStub({ nsPid: nsPid(pid), sibling: false, keep: [], ownFds: 3 })
}

function peekSignals({ pid }: HeldChild): string | undefined {
  must('kill', pid, SIG.URG)
  using s = scratch()
  const args = s.put(ptracePeeksiginfoArgs.encode({ flags: PTRACE_PEEKSIGINFO.SHARED, nr: 1 }))
  const found = s.take(128)
  const count = mustPtrace(
    'PTRACE_PEEKSIGINFO',
    PTRACE.PEEKSIGINFO,
    pid,
    args.address,
    found.address,
  )
  return count === 1 ? undefined : 'it does not tell of a pending signal'
}

/** Signals that are ignored are not queued: one that is blocked is. */
function blockUrgent(pid: HostPid): void {
  setSignalMask(pid, getSignalMask(pid) | (1n << BigInt(SIG.URG - 1)))
}

export const taskFeatures: readonly Feature[] = [
  {
    name: 'clone3_set_tid',
    need: 'required',
    what: 'a pid of choice (clone3 with set_tid)',
    cost: 'no process can be restored: it would not have its pid',
    remedy: 'Linux 5.5',
    capability: 'CHECKPOINT_RESTORE',
    probe() {
      const pid = checked(withFreePid(cloneWithPid), 'clone3 with set_tid')
      waitForEnd(hostPid(pid))
    },
  },
  {
    name: 'ptrace',
    need: 'required',
    what: 'to stop a process and change its registers and signal mask (PTRACE_SEIZE)',
    cost: 'no process can be dumped or restored',
    remedy: 'Linux 3.11; a container may forbid ptrace by its seccomp filter',
    probe: (ground) =>
      withTracee(ground, ({ pid }) => {
        setRegisters(pid, getRegisters(pid))
        setSignalMask(pid, getSignalMask(pid))
      }),
  },
  {
    name: 'restore_task',
    need: 'required',
    what: 'to start a task as a restore does (a program in a memfd, with a pid of choice)',
    cost: 'no process can be restored',
    remedy: 'the sysctl vm.memfd_noexec must be 0 or 1',
    capability: 'CHECKPOINT_RESTORE',
    probe() {
      const pid = hostPid(withFreePid(startTask))
      sys('kill', pid, SIG.KILL)
      waitForEnd(pid)
    },
  },
  {
    name: 'pidfd_getfd',
    need: 'required',
    what: 'copies of the descriptors of a process (pidfd_open, pidfd_getfd)',
    cost: 'no process can be dumped: its open files cannot be looked at',
    remedy: 'Linux 5.6',
    capability: 'SYS_PTRACE',
    probe: copyDescriptor,
  },
  {
    name: 'kcmp',
    need: 'required',
    what: 'to tell whether two processes share an object (kcmp)',
    cost: 'no process can be dumped: what is shared would come back as copies',
    remedy: 'Linux 3.5 with CONFIG_KCMP or CONFIG_CHECKPOINT_RESTORE',
    probe() {
      using file = memfd()
      using same = owned(must('dup', file.fd))
      const own = process.pid
      const order = checked(sys('kcmp', own, own, KCMP.FILE, file.fd, same.fd), 'kcmp')
      return order === 0 ? undefined : 'it tells equal files apart'
    },
  },
  {
    name: 'ptrace_peeksiginfo',
    need: 'required',
    what: 'pending signals of a process (PTRACE_PEEKSIGINFO)',
    cost: 'signals that wait to be delivered cannot be saved',
    remedy: 'Linux 3.10',
    probe: (ground) =>
      withTracee(ground, (child) => {
        blockUrgent(child.pid)
        return peekSignals(child)
      }),
  },
  {
    name: 'proc_timers',
    need: 'required',
    what: 'POSIX timers of a process (/proc/PID/timers)',
    cost: 'POSIX timers cannot be saved',
    remedy: 'Linux 3.10 with CONFIG_POSIX_TIMERS and CONFIG_PROC_FS',
    probe: checkTimers,
  },
  {
    name: 'timer_cr_ids',
    need: 'extra',
    what: 'POSIX timers with an id of choice (PR_TIMER_CREATE_RESTORE_IDS)',
    cost: 'a restore makes and deletes timers until it comes to the id: slow where ids are large',
    remedy: 'Linux 6.15',
    probe: (ground) =>
      ground.inChild(0n, (table) => {
        const id = table.space(4)
        id.view.setInt32(0, 77, true)
        table.call('prctl', PR.TIMER_CREATE_RESTORE_IDS, PR_TIMER_CREATE_RESTORE_IDS.ON, 0, 0, 0)
        table.call('timer_create', CLOCK.MONOTONIC, 0, id)
        table.call('timer_delete', 77)
      }),
  },
  {
    name: 'get_rseq_conf',
    need: 'extra',
    what: 'the restartable sequence of a thread (PTRACE_GET_RSEQ_CONFIGURATION)',
    cost: 'threads of the C library since 2.35 cannot be dumped faithfully',
    remedy: 'Linux 5.13 with CONFIG_RSEQ',
    probe: (ground) =>
      withTracee(ground, ({ pid }) => {
        using s = scratch()
        const { size } = ptraceRseqConfiguration
        const found = s.take(size)
        const request = PTRACE.GET_RSEQ_CONFIGURATION
        mustPtrace('PTRACE_GET_RSEQ_CONFIGURATION', request, pid, size, found.address)
      }),
  },
  {
    name: 'pidfd_store',
    need: 'extra',
    what: 'a descriptor that tells whether a pid is still the same process (pidfd_open)',
    cost: 'repeated dumps of one tree cannot tell that a pid was used again',
    remedy: 'Linux 5.6',
    probe(ground) {
      copyDescriptor(ground)
      using child = ground.hold(0n, () => {})
      using pidfd = owned(must('pidfd_open', child.pid, 0))
      must('pidfd_send_signal', pidfd.fd, 0, 0, 0)
    },
  },
  {
    name: 'loginuid',
    need: 'extra',
    what: 'the login uid of a process (/proc/PID/loginuid)',
    cost: 'the login uid that audit shows is not kept',
    remedy: 'CONFIG_AUDIT',
    capability: 'AUDIT_CONTROL',
    probe(ground) {
      const text = readProcFile('/proc/self/loginuid')
      ground.inChild(0n, (table) => {
        const path = table.string('/proc/self/loginuid')
        const fd = table.call('open', path, WRITE_ONLY)
        table.call('write', fd, table.string(text), text.length)
      })
    },
  },
  {
    name: 'breakpoints',
    need: 'named',
    what: 'hardware breakpoints (PTRACE_POKEUSER of the debug registers)',
    cost: 'nothing: this program needs none, upstream restores a little faster with them',
    probe: (ground) =>
      withTracee(ground, ({ pid }) => {
        const address = getRegisters(pid).get('rip')
        mustPtrace('PTRACE_POKEUSER', PTRACE.POKEUSR, pid, DEBUG_REGISTERS, address)
        mustPtrace('PTRACE_POKEUSER', PTRACE.POKEUSR, pid, DEBUG_REGISTERS + 7 * 8, ENABLE_FIRST)
        mustPtrace('PTRACE_POKEUSER', PTRACE.POKEUSR, pid, DEBUG_REGISTERS + 7 * 8, 0)
      }),
  },
]

const WRITE_ONLY = 1
/** offsetof(struct user, u_debugreg) of x86-64 (sys/user.h). */
const DEBUG_REGISTERS = 848
/** DR7: breakpoint 0, at the execution of its address, for this task. */
const ENABLE_FIRST = 1

function copyDescriptor(ground: Ground): void {
  using file = memfd()
  using child = ground.hold(0n, () => {})
  using pidfd = owned(must('pidfd_open', child.pid, 0))
  using copy = owned(must('pidfd_getfd', pidfd.fd, file.fd, 0))
  checked(sys('fcntl', copy.fd, 1 /* F_GETFD */), 'fcntl')
}

/** A memfd of ours, closed at the end of the scope. */
function memfd() {
  using s = scratch()
  return owned(must('memfd_create', s.string('criu-check'), MFD.CLOEXEC))
}

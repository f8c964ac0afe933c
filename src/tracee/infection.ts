import {
  controlBlock,
  type InfectionLayout,
  infectionCode,
  infectionLayout,
  VISITOR_BYTE,
  visitorHome,
} from '../arch/x86_64/infection.ts'
import { type Registers, USER_CS } from '../arch/x86_64/registers.ts'
import { Syscall } from '../arch/x86_64/syscalls.ts'
import { fail } from '../errors/error.ts'
import type { Deadline } from '../job/deadline.ts'
import { O } from '../kernel/constants/fcntl.ts'
import { MADV, MAP, PROT } from '../kernel/constants/mman.ts'
import { PTRACE_EVENT, PTRACE_O } from '../kernel/constants/ptrace.ts'
import { CLONE } from '../kernel/constants/sched.ts'
import { ALL_SIGNALS } from '../kernel/constants/signals.ts'
import { WAIT_KIND } from '../kernel/constants/wait.ts'
import { Errno } from '../kernel/errno.ts'
import { closeSync, openSync, writeSync } from '../kernel/fs.ts'
import { type Memory, memoryAt, partOf } from '../kernel/memory.ts'
import { readLimits } from '../kernel/proc/limits.ts'
import type { Mapping } from '../kernel/proc/maps.ts'
import { readStatus } from '../kernel/proc/status.ts'
import {
  getEventMessage,
  getRegisters,
  resume,
  resumeToSyscall,
  setOptions,
  setRegisters,
  setSignalMask,
} from '../kernel/ptrace.ts'
import { checked, close, must, open, sys } from '../kernel/sys.ts'
import { Table } from '../kernel/table.ts'
import { type HostPid, hostPid } from '../kernel/types.ts'
import { type Stop, waitStop } from '../kernel/wait.ts'
import type { Log } from '../log/log.ts'
import { findHole } from './hole.ts'
import { toSyscallStop, waitForSignal, waitPastGroupStop } from './infection-stops.ts'
import { pinTo } from './pin.ts'
import { waitForEnd } from './release.ts'
import { checkRun, type Runner, traceRun } from './run.ts'
import { Snapshot } from './snapshot.ts'
import {
  giveBack,
  type SeizedProcess,
  type SeizedThread,
  toInterruptStop,
  unexpectedStop,
} from './thread.ts'
import { type SignalFacts, unnoticedSignal } from './unnoticed-signal.ts'
import { vdsoTail } from './vdso-tail.ts'

/** Memory shared by us and the helper: the table, its data, and room for answers. */
export const REGION_SIZE = 1 << 20
/** Where the table begins in it, behind the visitor's byte. */
const TABLE_AT = 64
const RLIMIT_AS = 9n
/** A copy of the process's memory dies with us. */
const COPY_OPTIONS = PTRACE_O.EXITKILL | PTRACE_O.TRACESYSGOOD
const HELPER_FLAGS = CLONE.VM | CLONE.FS | CLONE.SIGHAND | CLONE.THREAD | CLONE.SYSVSEM

/** Fills the table for a thread, and returns what reads the answers. */
type BuildVisit = (thread: SeizedThread, table: Table) => () => void

/**
 * A process with one thread of ours in it, the *helper*: a clone that shares memory and signal actions
 * but has a descriptor table of its own, so that nothing that it opens is ever seen by the process. The
 * process's own threads run one system call of ours in all (the clone), and what can only be asked in
 * a thread itself (see {@link visit}).
 *
 * At any moment our death lets every thread go on as it was, and the helper unmap its region and end.
 */
export class Infection implements Runner, Disposable {
  readonly process: SeizedProcess
  readonly pid: HostPid
  readonly helper: HostPid
  readonly #log: Log
  readonly #layout: InfectionLayout
  readonly #mem: number
  readonly #region: bigint
  #memory: Memory | undefined
  #table: Table | undefined
  readonly #signal: number
  readonly #original: Uint8Array
  readonly #base: Registers
  #cured = false

  constructor(process: SeizedProcess, maps: readonly Mapping[], facts: SignalFacts, log: Log) {
    this.process = process
    this.pid = process.pid
    this.#log = log
    const leader = process.threads[0]!
    const signal = unnoticedSignal(facts)
    if (!signal)
      fail({
        code: 'obstacles',
        obstacles: [
          {
            pid: process.pid,
            comm: '',
            where: 'task',
            what: 'handlers for all signals: none is left that could be sent unnoticed',
            ...(facts.isStopped && { remedy: 'let it go on first (SIGCONT)' }),
          },
        ],
      })
    this.#signal = signal
    this.#region = findHole(maps, REGION_SIZE)
    this.#mem = openSync(`/proc/${process.pid}/mem`, 'r+')
    const tail = vdsoTail(maps, this.#mem, process.pid)
    this.#layout = infectionLayout(tail.start)
    if (this.#layout.end > tail.end)
      fail({ code: 'conflict', pid: process.pid, reason: 'the vDSO has no room for our code' })
    const code = infectionCode(this.#layout, this.#region, REGION_SIZE)
    this.#original = new Uint8Array(code.length)
    this.#poke(this.#layout.stub, code)
    this.#base = atRest(leader.registers)
    this.helper = this.#cloneHelper(leader)
    try {
      this.#mapRegion()
      this.#memory = this.#openRegion()
      this.#poke(this.#layout.mappedFlag, Uint8Array.of(1))
      this.#table = new Table(partOf(this.#memory, TABLE_AT), this.#region + BigInt(TABLE_AT))
      const nsTid = readStatus(`/proc/${process.pid}/task/${this.helper}`).innermost.pid
      const { helperHome, helperControl } = this.#layout
      this.#poke(helperControl, controlBlock(process.nsPid, nsTid, helperHome, signal))
    } catch (error) {
      this.cure()
      throw error
    }
  }

  table(): Table {
    return this.#table!.reset()
  }

  /** Runs a table in the helper. */
  run(table: Table, what?: string): void {
    this.start(table)
    this.finish(table, what)
  }

  /** Lets the helper begin a table; {@link finish} waits for its end. Other tasks may run meanwhile. */
  start(table: Table): void {
    setRegisters(this.helper, this.#atLoop(this.#base, table, this.#layout.helperControl))
    resume(this.helper)
  }

  finish(table: Table, what?: string): void {
    this.#waitForEnd(this.helper)
    traceRun(table, this.helper, this.#log)
    checkRun(table, this.helper, what)
  }

  /**
   * Runs a table in each thread itself, one after the other, and gives it its registers and mask
   * back before the next. `build` fills the table for a thread and returns what reads the answer.
   */
  visit(build: BuildVisit): void {
    for (const thread of this.process.threads)
      this.#visitOne(thread, build, (tid) => this.#waitForEnd(tid))
  }

  /**
   * As {@link visit}, in one thread. A call that is still under way at the deadline is interrupted, and
   * `timeout` thrown; the thread has its registers and mask back in any case.
   */
  visitBefore(thread: SeizedThread, build: BuildVisit, deadline: Deadline): void {
    this.#visitOne(thread, build, (tid) => waitForSignal(tid, this.#signal, deadline))
  }

  /**
   * A copy of the process that holds its memory as it is now: a child of the helper that runs nothing
   * but our tables, dies with us, and tells nobody that it ends (exit signal 0). Undefined where the
   * process may have no further child. The region is then kept out of what the process itself forks.
   */
  fork(): Snapshot | undefined {
    const pid = this.#cloneCopy()
    if (pid === undefined) return undefined
    const snapshot = new Snapshot(pid, {
      log: this.#log,
      signal: this.#signal,
      home: this.#layout.helperHome,
      control: this.#layout.helperControl,
      table: () => this.table(),
      registers: (table) => this.#atLoop(this.#base, table, this.#layout.helperControl),
      bury: () => {
        const table = this.table()
        table.call('wait4', snapshot.nsPid, 0, WAIT_KIND.ALL, 0)
        this.run(table, 'reap the copy of its memory')
      },
    })
    const table = this.table()
    table.call('madvise', this.#region, REGION_SIZE, MADV.DONTFORK)
    this.run(table, 'keep our region out of its forks')
    return snapshot
  }

  /** Where the helper runs: our own CPU for short exchanges, all CPUs for long work. */
  pin(cpu: number | undefined): void {
    pinTo(this.helper, cpu)
  }

  /** Takes the helper and its region away. The process's threads stay stopped. */
  cure(): void {
    if (this.#cured) return
    this.#cured = true
    try {
      setRegisters(this.helper, this.#base.with({ rip: this.#layout.helperHome }))
      resume(this.helper)
      waitForEnd(this.helper)
      this.#poke(this.#layout.stub, this.#original)
    } finally {
      if (this.#memory) sys('munmap', this.#memory.address, REGION_SIZE)
      closeSync(this.#mem)
    }
  }

  [Symbol.dispose](): void {
    this.cure()
  }

  #visitOne(thread: SeizedThread, build: BuildVisit, wait: (tid: HostPid) => void): void {
    const { visitorControl, visitorHome: home } = this.#layout
    const control = controlBlock(this.process.nsPid, thread.nsTid, home, this.#signal)
    this.#poke(home, visitorHome(home, thread.registers, thread.mask, this.#region))
    this.#poke(visitorControl, control)
    const table = this.table()
    const read = build(thread, table)
    // Before it can begin: the helper's way home must not unmap the region under it.
    this.#memory!.bytes[VISITOR_BYTE] = 1
    // The mask as it was ends a temporary one (sigsuspend); see engine.md's order of steps.
    setSignalMask(thread.tid, thread.mask)
    // Its own segment bases: its way home does not set them.
    setRegisters(thread.tid, this.#atLoop(atRest(thread.registers), table, visitorControl))
    setSignalMask(thread.tid, this.#allButOurs())
    resume(thread.tid)
    try {
      wait(thread.tid)
    } finally {
      giveBack(thread)
      this.#memory!.bytes[VISITOR_BYTE] = 0
    }
    traceRun(table, thread.tid, this.#log)
    checkRun(table, thread.tid)
    read()
  }

  /** Waits until a table has ended in our own signal; a foreign one is dropped, being ignored. */
  #waitForEnd(tid: HostPid): void {
    for (;;) {
      const stop = waitPastGroupStop(tid)
      if (stop.kind !== 'signal') unexpectedStop(tid, 'signal', stop)
      if (stop.signal === this.#signal) return
      resume(tid, stop.signal)
    }
  }

  #atLoop(base: Registers, table: Table, control: bigint): Registers {
    const { first, end } = table.range
    return base.with({
      rip: this.#layout.loop,
      rbx: first,
      r12: end,
      r13: table.base,
      r15: control,
    })
  }

  #allButOurs(): bigint {
    return ALL_SIGNALS & ~(1n << BigInt(this.#signal - 1))
  }

  /**
   * One clone in the leader. Until the new thread is ours, our death sends the leader its way home
   * behind the system call, and the thread (which finds 0 in rax) to the helper's home.
   */
  #cloneHelper(leader: SeizedThread): HostPid {
    const { visitorControl, visitorHome: home, stub } = this.#layout
    this.#poke(home, visitorHome(home, leader.registers, leader.mask, undefined))
    this.#poke(visitorControl, controlBlock(this.process.nsPid, leader.nsTid, home, this.#signal))
    setOptions(leader.tid, PTRACE_O.TRACECLONE | PTRACE_O.TRACESYSGOOD)
    setSignalMask(leader.tid, leader.mask)
    const call = this.#base.with({
      rip: stub,
      rax: BigInt(Syscall.clone),
      rdi: BigInt(HELPER_FLAGS),
      rsi: 0n,
      rdx: 0n,
      r10: 0n,
      r8: 0n,
      r15: visitorControl,
    })
    setRegisters(leader.tid, call)
    setSignalMask(leader.tid, this.#allButOurs())
    resume(leader.tid)
    const stop = waitPastGroupStop(leader.tid)
    if (stop.kind !== 'event' || stop.event !== PTRACE_EVENT.CLONE) {
      const result = Number(BigInt.asIntN(64, getRegisters(leader.tid).get('rax')))
      giveBack(leader)
      checked(result, 'clone of a helper thread', { pid: leader.tid })
      return fail({ code: 'tracee', pid: leader.tid, expected: 'clone', found: stop.kind })
    }
    const helper = hostPid(Number(getEventMessage(leader.tid)))
    toInterruptStop(leader.tid)
    giveBack(leader)
    const first = waitStop(helper)
    if (first.kind !== 'interrupt' && first.kind !== 'group-stop')
      unexpectedStop(helper, 'its first stop', first)
    return helper
  }

  /** One clone in the helper, caught at its exit; should we die meanwhile both go home. */
  #cloneCopy(): HostPid | undefined {
    this.#callStub(Syscall.clone, [0n, 0n, 0n, 0n])
    toSyscallStop(this.helper) // entry
    let stop: Stop
    do {
      resumeToSyscall(this.helper)
      stop = waitStop(this.helper)
    } while (stop.kind === 'group-stop' || stop.kind === 'interrupt')
    if (stop.kind === 'syscall') return undefined // it failed
    if (stop.kind !== 'event' || stop.event !== PTRACE_EVENT.CLONE)
      unexpectedStop(this.helper, 'a clone', stop)
    const pid = hostPid(Number(getEventMessage(this.helper)))
    const first = waitStop(pid)
    if (first.kind !== 'interrupt' && first.kind !== 'group-stop')
      unexpectedStop(pid, 'its first stop', first)
    setOptions(pid, COPY_OPTIONS)
    toSyscallStop(this.helper) // exit
    return pid
  }

  /**
   * The helper maps its region. A process that is at its limit of address space gets more of it for
   * that moment, as far as its hard limit goes; the way home gives it back as well.
   */
  #mapRegion(): void {
    const { helperControl, helperHome } = this.#layout
    this.#poke(helperControl, controlBlock(0, 0, helperHome, 0))
    let result = this.#callMmap()
    if (result === -Errno.ENOMEM && this.#raiseLimit()) {
      result = this.#callMmap()
      this.#callByStub(Syscall.prlimit64, [0n, RLIMIT_AS, this.#layout.limits, 0n])
      this.#poke(this.#layout.limitFlag, Uint8Array.of(0))
    }
    checked(result, 'mmap of the helper region', { pid: this.pid })
  }

  #raiseLimit(): boolean {
    const limit = readLimits(`/proc/${this.pid}`)[Number(RLIMIT_AS)]
    if (!limit || limit.soft === limit.hard) return false
    const { limits, limitFlag } = this.#layout
    const words = BigUint64Array.of(limit.soft, limit.hard, limit.hard, limit.hard)
    this.#poke(limits, new Uint8Array(words.buffer))
    this.#poke(limitFlag, Uint8Array.of(1))
    return this.#callByStub(Syscall.prlimit64, [0n, RLIMIT_AS, limits + 16n, 0n]) === 0
  }

  #callMmap(): number {
    const flags = MAP.SHARED | MAP.ANONYMOUS | MAP.FIXED_NOREPLACE
    const protection = PROT.READ | PROT.WRITE
    const args = [this.#region, BigInt(REGION_SIZE), BigInt(protection), BigInt(flags), -1n, 0n]
    return this.#callByStub(Syscall.mmap, args)
  }

  /** One system call of the helper at the stub, caught at its exit: its result, or −errno. */
  #callByStub(nr: number, [rdi, rsi, rdx, r10, r8 = 0n, r9 = 0n]: readonly bigint[]): number {
    this.#callStub(nr, [rdi!, rsi!, rdx!, r10!, r8, r9])
    toSyscallStop(this.helper) // entry
    toSyscallStop(this.helper) // exit
    return Number(BigInt.asIntN(64, getRegisters(this.helper).get('rax')))
  }

  #callStub(nr: number, [rdi, rsi, rdx, r10, r8 = 0n, r9 = 0n]: readonly bigint[]): void {
    const { stub, helperControl } = this.#layout
    const args = { rdi: rdi!, rsi: rsi!, rdx: rdx!, r10: r10!, r8, r9 }
    const call = this.#base.with({ rip: stub, rax: BigInt(nr), ...args, r15: helperControl })
    setRegisters(this.helper, call)
  }

  #openRegion(): Memory {
    const end = this.#region + BigInt(REGION_SIZE)
    const path = `/proc/${this.pid}/map_files/${this.#region.toString(16)}-${end.toString(16)}`
    const fd = open(path, O.RDWR)
    const address = must('mmap', 0, REGION_SIZE, PROT.READ | PROT.WRITE, MAP.SHARED, fd, 0)
    close(fd)
    return memoryAt(BigInt(address), REGION_SIZE)
  }

  #poke(address: bigint, bytes: Uint8Array): void {
    writeSync(this.#mem, bytes, 0, bytes.length, Number(address))
  }
}

/** Registers in 64-bit code, in no system call, with plain flags. */
const atRest = (registers: Registers): Registers =>
  registers.with({ orig_rax: -1n, eflags: 0x202n, cs: USER_CS })

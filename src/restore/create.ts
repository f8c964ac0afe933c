import { fail } from '../errors/error.ts'
import { PR } from '../kernel/constants/prctl.ts'
import { CLONE } from '../kernel/constants/sched.ts'
import { SIG } from '../kernel/constants/signals.ts'
import { Errno } from '../kernel/errno.ts'
import { cloneArgs } from '../kernel/layout/sched.ts'
import { readMaps } from '../kernel/proc/maps.ts'
import { resume } from '../kernel/ptrace.ts'
import { checked, sys } from '../kernel/sys.ts'
import type { Table } from '../kernel/table.ts'
import { type HostPid, type NsPid, traceeAddr } from '../kernel/types.ts'
import { describeStop, waitStop } from '../kernel/wait.ts'
import type { RestoreTask } from '../resources/restore-model.ts'
import { restoredTask } from '../resources/task-extra.ts'
import { fdForSession } from '../resources/terminals/terminal-set.ts'
import { setAffinity } from '../tracee/pin.ts'
import { mapArena, spawnStub } from '../tracee/stub.ts'
import { failPidTaken } from '../tracee/stub-conflict.ts'
import { endSignal, StubThread } from '../tracee/stub-thread.ts'
import { freePids } from './free-pids.ts'
import { LEADER_SLICE, WORKER_SLICE } from './plan-arena.ts'
import type { Shares, Step } from './plan-tree.ts'
import { blockAllBut, endSignalOf, logOf, type RestoreRun } from './state.ts'
import { addTerminalStep, type TerminalStep } from './terminal-steps.ts'
import type { TreeMemory } from './tree-memory.ts'
import { Widths } from './widths.ts'

/** Bytes of struct clone_args that we know. */
const CLONE_ARGS_SIZE = cloneArgs.size

/** Makes every process of the plan; at the end all are stopped stubs with every signal blocked. */
export function createTasks(run: RestoreRun, memory: TreeMemory): void {
  const creation = new Creation(run, memory)
  for (const step of run.plan.steps) {
    run.progress.advance()
    creation.take(step)
  }
  creation.settle()
}

class Creation {
  readonly #run: RestoreRun
  readonly #memory: TreeMemory
  readonly #tasks: ReadonlyMap<NsPid, RestoreTask>
  /** Everything that can run tables: tasks, zombies to be, helpers. */
  readonly #stubs = new Map<NsPid, StubThread>()
  readonly #widths: Widths

  constructor(run: RestoreRun, memory: TreeMemory) {
    this.#run = run
    this.#memory = memory
    this.#widths = new Widths(run)
    this.#tasks = new Map(run.model.tasks.map((task) => [task.nsPid, task]))
  }

  take(step: Step): void {
    switch (step.do) {
      case 'spawn':
        this.#spawn(step.pid)
        break
      case 'clone':
        this.#clone(step)
        break
      case 'setsid':
        this.#call(step.pid, 'lead a session', (table) => table.call('setsid'))
        break
      case 'setpgid': {
        const { pid, group } = step
        this.#call(pid, 'join a process group', (table) => table.call('setpgid', 0, group))
        break
      }
      case 'take-terminal':
      case 'foreground':
      case 'leave-terminal':
        this.#useTerminal(step)
        break
      case 'subreaper':
        this.#setSubreaper(step.pid, step.on)
        break
      case 'end-helper':
        this.#endHelper(step.pid, step.parent)
        break
      case 'die':
        this.#die(step.pid, step.status)
        break
      default:
        step satisfies never
    }
  }

  /**
   * Stops those who were stopped, while nobody else can be told of it. That and the ends of children
   * have sent SIGCHLD to parents: it is taken away before every signal is blocked for good.
   */
  settle(): void {
    const { live, options } = this.#run
    for (const { task, threads } of [...live.values()].reverse())
      if (task.state === 'stopped' || options.leaveStopped)
        stopGroup(threads[0]!, task.core.tc?.stop_signo)
    for (const { task, threads } of live.values()) {
      const [leader] = threads
      leader!.run(this.#with(leader!, (table) => table.call('getpid')))
      blockAllBut(leader!.pid, endSignalOf(task, task.threads[0]!))
    }
  }

  #with(stub: StubThread, build: (table: Table) => void): Table {
    const table = stub.table()
    build(table)
    return table
  }

  #call(pid: NsPid, what: string, build: (table: Table) => void): void {
    const stub = this.#stub(pid)
    stub.run(this.#with(stub, build), what)
  }

  #useTerminal(step: TerminalStep): void {
    this.#call(step.pid, 'set the terminal of its session', (table) =>
      addTerminalStep(table, step, fdForSession(step.session, this.#run)),
    )
  }

  #setSubreaper(pid: NsPid, on: boolean): void {
    this.#call(pid, 'be a subreaper for a moment', (table) =>
      table.call('prctl', PR.SET_CHILD_SUBREAPER, Number(on), 0, 0, 0),
    )
  }

  #stub(pid: NsPid): StubThread {
    return this.#stubs.get(pid) ?? failOrder(pid)
  }

  #spawn(pid: NsPid): void {
    const { options, files, plan, arena, made } = this.#run
    const host = spawnStub({
      nsPid: pid,
      sibling: options.sibling,
      keep: [...files.all(), arena.fd],
      ownFds: plan.firstFreeFd,
    })
    made.add(host)
    arena.address = this.#findHole(host)
    mapArena(host, arena)
    this.#adopt(pid, host, false)
  }

  /** Address space that no task uses in the end and the stub does not use now. */
  #findHole(pid: HostPid): bigint {
    const final = this.#run.model.tasks.flatMap((task) => task.mm?.vmas ?? [])
    const now = readMaps(`/proc/${pid}`)
    const taken = [...final, ...now]
      .map(({ start, end }) => ({ start: traceeAddr(start), end: traceeAddr(end) }))
      .sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0))
    return this.#widths.findHole(taken)
  }

  #clone(step: Extract<Step, { do: 'clone' }>): void {
    const creator = this.#stub(step.by)
    const parent = this.#run.live.get(step.by)
    if (parent) this.#memory.beforeClone(step.pid, parent)
    for (const pid of this.#candidates(step.pid)) {
      const table = creator.table()
      const args = table.data(cloneArguments(table, pid, step, this.#exitSignal(step)))
      const result = table.attempt('clone3', args, CLONE_ARGS_SIZE)
      creator.run(table, `clone process ${pid}`)
      if (result.number === -Errno.EEXIST && step.pid < 0) continue
      if (result.number === -Errno.EEXIST) failPidTaken(pid)
      checked(result.number, `clone3 of process ${pid}`, { pid: creator.pid })
      const [born] = creator.takeBorn()
      if (born === undefined) fail({ code: 'internal', reason: `process ${pid} was not told of` })
      this.#run.made.add(born!)
      this.#adopt(step.pid, born!, step.helper, pid, step)
      return
    }
    fail({ code: 'conflict', reason: 'no pid is free for a helper' })
  }

  /** The kernel gives a sibling (CLONE_PARENT) the signal of the one that clones it. */
  #exitSignal({ pid, sibling }: Extract<Step, { do: 'clone' }>): number {
    const task = this.#tasks.get(pid)
    const signal = (task && restoredTask(task, this.#run)?.exit_signal) ?? SIG.CHLD
    if (sibling && signal !== SIG.CHLD)
      fail({
        code: 'conflict',
        pid,
        reason: `process ${pid} tells of its end by signal ${signal}, and is of a session that its parent is not of`,
      })
    return sibling ? 0 : signal
  }

  /** The pid that it must have; for one that may have any, those that no task needs. */
  #candidates(pid: NsPid): Iterable<NsPid> {
    return pid > 0 ? [pid] : freePids(this.#run.model)
  }

  /** A new process is a stub from now on, and if it is of the images and lives, a live task. */
  #adopt(
    pid: NsPid,
    host: HostPid,
    helper: boolean,
    number = pid,
    clone?: { readonly by: NsPid; readonly shares: Shares },
  ): void {
    const { arena, live } = this.#run
    const task = helper ? undefined : this.#tasks.get(pid)
    const signal = task ? endSignalOf(task, task.threads[0]!) : endSignal(0n)
    const ids = { tid: host, nsTid: number, tgid: number }
    const slice = arena.slice(task ? LEADER_SLICE : WORKER_SLICE)
    const changed = this.#widths.settle({ pid, host, by: clone?.by, task, table: slice.table })
    const log = task ? logOf(this.#run, pid) : this.#run.log
    const stub = new StubThread(ids, signal, arena, slice, log)
    this.#stubs.set(pid, stub)
    this.#memory.afterClone(pid, host, changed ? undefined : clone?.by)
    if (!task) return
    task.pid = host
    task.threads[0]!.tid = host
    if (task.state === 'zombie') return
    const from = clone && live.get(clone.by)
    const owner = {
      vm: from && clone.shares.vm ? from.owner.vm : pid,
      files: from && clone.shares.files ? from.owner.files : pid,
      fs: from && clone.shares.fs ? from.owner.fs : pid,
    }
    live.set(pid, { task, threads: [stub], owner })
  }

  #endHelper(pid: NsPid, parent: NsPid): void {
    const stub = this.#stub(pid)
    sys('kill', stub.pid, SIG.KILL)
    resumeUntilDead(stub.pid)
    this.#stubs.delete(pid)
    this.#call(parent, 'reap a helper', (table) => table.call('wait4', stub.nsTid, 0, WALL, 0))
    this.#run.made.delete(stub.pid)
  }

  /** It dies as the images say, and stays a zombie of its parent. */
  #die(pid: NsPid, status: number): void {
    const stub = this.#stub(pid)
    const { comm } = this.#tasks.get(pid)!.core.tc!
    const signal = status & 0x7f
    setAffinity(stub.pid, this.#run.affinity)
    const table = stub.table()
    table.attempt('prctl', PR.SET_NAME, table.string(comm.slice(0, 15)), 0, 0, 0)
    // A dump of its core would be one of the stub.
    table.attempt('prctl', PR.SET_DUMPABLE, 0, 0, 0, 0)
    if (signal === 0) {
      table.call('exit_group', status >> 8)
      stub.start(table)
      resumeUntilDead(stub.pid)
      return
    }
    stub.run(table)
    // As raise(3) sends it: only to the thread, so that nothing stays pending.
    sys('tgkill', stub.pid, stub.pid, signal)
    // SIGKILL needs no resume, and leaves nothing to resume.
    if (signal !== SIG.KILL) resume(stub.pid)
    resumeUntilDead(stub.pid, signal)
  }
}

/** __WALL: also children without an exit signal. */
const WALL = 0x40000000

/** Waits for the end of a tracee; only `signal` is passed on to it. */
function resumeUntilDead(pid: HostPid, signal = 0): void {
  for (;;) {
    const stop = waitStop(pid)
    if (stop.kind === 'exited' || stop.kind === 'killed') return
    if (stop.kind === 'group-stop')
      fail({ code: 'tracee', pid, expected: 'its end', found: describeStop(stop) })
    resume(pid, stop.kind === 'signal' && stop.signal === signal ? signal : 0)
  }
}

/** Signals that stop a process; of the last three none stops one in an orphaned group. */
const STOPPING: readonly number[] = [SIG.STOP, SIG.TSTP, SIG.TTIN, SIG.TTOU]

/**
 * Brings a process into a group-stop, by the signal that it was stopped by, which its parent may still
 * ask for. It runs when it is resumed by us; once it is let go, it stays stopped.
 */
function stopGroup(leader: StubThread, signal = SIG.STOP as number): void {
  const wanted = STOPPING.includes(signal) ? signal : SIG.STOP
  if (!leader.stopBy(wanted) && !leader.stopBy(SIG.STOP))
    fail({ code: 'tracee', pid: leader.pid, expected: 'a group-stop', found: 'it runs on' })
}

function cloneArguments(
  table: Table,
  pid: NsPid,
  { sibling, shares }: { sibling: boolean; shares: Shares },
  exitSignal: number,
): Uint8Array {
  const id = table.space(8)
  id.view.setInt32(0, pid, true)
  const flags =
    (sibling ? CLONE.PARENT : 0n) |
    (shares.vm ? CLONE.VM : 0n) |
    (shares.files ? CLONE.FILES : 0n) |
    (shares.fs ? CLONE.FS : 0n) |
    (shares.sighand ? CLONE.SIGHAND : 0n)
  return cloneArgs.encode({
    flags,
    exit_signal: BigInt(exitSignal),
    set_tid: id.address,
    set_tid_size: 1n,
  })
}

/** The plan follows parents, sessions and groups of the images, which contradict each other. */
const failOrder = (pid: NsPid): never =>
  fail({
    code: 'conflict',
    reason: `the tree cannot be made: process ${pid} is needed before it is there`,
    remedy: 'make sure that the images are not damaged',
  })

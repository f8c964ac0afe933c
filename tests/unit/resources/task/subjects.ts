import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { askTask } from '../../../../src/dump/ask.ts'
import { collectTasks } from '../../../../src/dump/collect.ts'
import type { Obstacle } from '../../../../src/errors/error.ts'
import { make } from '../../../../src/images/codec.ts'
import type { Messages } from '../../../../src/images/gen/messages.ts'
import { startDeadline } from '../../../../src/job/deadline.ts'
import { CLONE } from '../../../../src/kernel/constants/sched.ts'
import { SIG } from '../../../../src/kernel/constants/signals.ts'
import { cloneArgs } from '../../../../src/kernel/layout/index.ts'
import { type Scratch, scratch } from '../../../../src/kernel/memory.ts'
import { checked, close, must, spawnTable, sys } from '../../../../src/kernel/sys.ts'
import { Table } from '../../../../src/kernel/table.ts'
import { type HostPid, hostPid } from '../../../../src/kernel/types.ts'
import { waitStop } from '../../../../src/kernel/wait.ts'
import { silentLog } from '../../../../src/log/log.ts'
import type { TaskAspect } from '../../../../src/resources/contract.ts'
import type { DumpContext, DumpTask } from '../../../../src/resources/dump-model.ts'
import type { RestoreContext, RestoreTask } from '../../../../src/resources/restore-model.ts'
import { Infection } from '../../../../src/tracee/infection.ts'
import { pinOurselves } from '../../../../src/tracee/pin.ts'
import { seizeTree } from '../../../../src/tracee/seize.ts'

const READY_FD = 3
/** Leaves the registration of an area to the subject itself. */
const NO_RSEQ = 'GLIBC_TUNABLES=glibc.pthread.rseq=0'
const program = join(import.meta.dirname, '../../../.build/task-subject')
let built = false

function build(): void {
  if (built) return
  mkdirSync(dirname(program), { recursive: true })
  const source = join(import.meta.dirname, 'subject.c')
  execFileSync('cc', ['-O1', '-Wall', '-Wextra', '-pthread', '-no-pie', '-o', program, source])
  built = true
}

/** A program that has given itself the states named; dead and reaped at the end of the scope. */
export function startSubject(...states: string[]): { readonly pid: HostPid } & Disposable {
  build()
  using s = scratch()
  const pair = s.take(8)
  must('pipe2', pair.address, 0o2000000)
  const [read, write] = [pair.view.getInt32(0, true), pair.view.getInt32(4, true)]
  const table = new Table(s.take(4096))
  table.call('dup3', write, READY_FD, 0)
  table.call('execve', s.string(program), vector(s, [program, ...states]), vector(s, [NO_RSEQ]))
  const flags = CLONE.VM | CLONE.VFORK | CLONE.CLEAR_SIGHAND
  const pid = hostPid(checked(spawnTable(cloneArgs.encode({ flags }), table), 'clone3'))
  close(write)
  const answer = must('read', read, s.take(8).address, 1)
  close(read)
  if (answer !== 1) throw new Error(`subject ${states.join(' ')} failed`)
  return {
    pid,
    [Symbol.dispose]() {
      sys('kill', pid, SIG.KILL)
      waitEnd(pid)
    },
  }
}

function waitEnd(tid: HostPid): void {
  for (;;) {
    const stop = waitStop(tid)
    if (stop.kind === 'exited' || stop.kind === 'killed') return
  }
}

function vector(s: Scratch, strings: readonly string[]): bigint {
  const memory = s.take(8 * (strings.length + 1))
  for (const [i, text] of strings.entries()) memory.view.setBigUint64(i * 8, s.string(text), true)
  return memory.address
}

/** A subject that is seized and infected, as a dump holds it. */
export class Held implements Disposable {
  readonly subject: ReturnType<typeof startSubject>
  readonly obstacles: Obstacle[] = []
  readonly written = new Map<string, unknown[]>()
  task: DumpTask
  readonly #aspects: readonly TaskAspect[]
  #infection: Infection | undefined

  constructor(aspects: readonly TaskAspect[], ...states: string[]) {
    this.#aspects = aspects
    this.subject = startSubject(...states)
    this.task = this.ask()
  }

  /** Seizes it where it is not yet, and asks for all that the aspects want to know. */
  ask(): DumpTask {
    using _ = pinOurselves()
    const seized =
      this.task?.seized ?? seizeTree(this.subject.pid, startDeadline('', 10)).processes[0]!
    const task = collectTasks({ processes: [seized], zombies: [] })[0]!
    this.task = task
    const context = this.#newContext()
    for (const aspect of this.#aspects) aspect.collect?.(task, context)
    const { signals } = task.status
    const pending = task.threads.reduce(
      (sum, thread) => sum | thread.status.signals.pending,
      signals.sharedPending,
    )
    this.#infection ??= new Infection(
      seized,
      task.maps,
      { ...signals, pending, isStopped: false },
      silentLog,
    )
    task.infection = this.#infection!
    askTask(task, this.#aspects, context)
    for (const aspect of this.#aspects) aspect.finishDump?.(context)
    return task
  }

  #newContext(): DumpContext {
    this.written.clear()
    return {
      tasks: [this.task],
      refuse: (obstacle: Obstacle) => this.obstacles.push(obstacle),
      images: {
        write: (kind: string, entries: unknown[]) => this.written.set(kind, entries),
      },
    } as unknown as DumpContext
  }

  /**
   * Has the subject take over the state that `from` was dumped with, hook after hook as a restore
   * does. Its threads take those of `from` in their order.
   */
  place(from: Held): void {
    const task = restoreTask(from.task, this.task)
    const images = {
      tryReadOne: (kind: string) => withTids(from.written.get(kind)?.[0], from.task, this.task),
      tryReadAll: (kind: string) => from.written.get(kind),
      tryReadWithPayload: () => undefined,
    }
    const restore = { images, model: { tasks: [task] } } as unknown as RestoreContext
    const leader = task.threads[0]!
    const visit = (build: (aspect: TaskAspect, i: number, table: Table) => void) => {
      let i = 0
      this.#infection!.visit((_seized, table) => {
        for (const aspect of this.#aspects) build(aspect, i, table)
        i++
        return () => {}
      })
    }
    visit((aspect, i, table) => {
      if (task.threads[i] === leader) aspect.placeProcess?.(task, table, restore)
    })
    visit((aspect, i, table) => {
      if (task.threads[i] === leader) aspect.connectProcess?.(task, table, restore)
    })
    visit((aspect, i, table) => aspect.placeThread?.(task, task.threads[i]!, table, restore))
    visit((aspect, i, table) => aspect.finishThread?.(task, task.threads[i]!, table, restore))
    for (const thread of task.threads)
      for (const aspect of this.#aspects) aspect.finishOutside?.(task, thread, restore)
  }

  [Symbol.dispose](): void {
    this.#infection?.cure()
    sys('kill', this.subject.pid, SIG.KILL)
    // The leader's end is told only once its other threads are reaped, which we trace.
    for (const thread of this.task.threads.slice(1)) waitEnd(thread.seized.tid)
    this.subject[Symbol.dispose]()
  }
}

/** An image of our own whose thread ids are those of another process. */
function withTids(entry: unknown, from: DumpTask, to: DumpTask): unknown {
  const { threads, timers } = (entry ?? {}) as Partial<Record<string, { tid: number }[]>>
  if (!threads || !timers) return entry
  const tidOf = (tid: number) => to.threads[from.threads.findIndex((t) => t.nsTid === tid)]!.nsTid
  const mapped = (all: { tid: number }[]) => all.map((one) => ({ ...one, tid: tidOf(one.tid) }))
  return { ...(entry as object), threads: mapped(threads), timers: mapped(timers) }
}

/** The core of a process whose thread ids are those of another. */
function withThreads(from: DumpTask, to: DumpTask): Messages['task_core_entry'] {
  const core = make('task_core_entry', from.core as Messages['task_core_entry'])
  if (!core.timers) return core
  const posix = core.timers.posix.map((timer) => {
    const i = from.threads.findIndex(({ nsTid }) => nsTid === timer.notify_thread_id)
    return i < 0 ? timer : { ...timer, notify_thread_id: to.threads[i]!.nsTid }
  })
  return { ...core, timers: { ...core.timers, posix } }
}

/** What a restore would read from the images of `from`, with the pids of `to`. */
function restoreTask(from: DumpTask, to: DumpTask): RestoreTask {
  const threads = from.threads.map((thread, i) => ({
    nsTid: to.threads[i]!.nsTid,
    tid: to.threads[i]!.seized.tid,
    core: {
      mtype: 1,
      thread_core: thread.core as Messages['thread_core_entry'],
      thread_info: thread.machine as Messages['thread_info_x86'],
      ...(i === 0 ? { tc: withThreads(from, to) } : {}),
    } as Messages['core_entry'],
  }))
  return {
    nsPid: to.nsPid,
    pid: to.pid,
    threads,
    core: threads[0]!.core,
    mm: from.mm as Messages['mm_entry'],
    ids: from.ids,
    fds: [],
  } as unknown as RestoreTask
}

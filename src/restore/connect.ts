import { fail } from '../errors/error.ts'
import { CLONE } from '../kernel/constants/sched.ts'
import { Errno } from '../kernel/errno.ts'
import { cloneArgs } from '../kernel/layout/sched.ts'
import { checked } from '../kernel/sys.ts'
import type { TaskAspect } from '../resources/contract.ts'
import { addLock, readLocksByTask } from '../resources/files/locks-restore.ts'
import { addSeals } from '../resources/memory/restore-finish.ts'
import { inTables } from '../resources/memory/restore-steps.ts'
import { taskAspects } from '../resources/registry.ts'
import type { RestoreThread } from '../resources/restore-model.ts'
import { failPidTaken } from '../tracee/stub-conflict.ts'
import { StubThread } from '../tracee/stub-thread.ts'
import { placeLateDescriptors } from './descriptors.ts'
import { fitting } from './fitting.ts'
import { THREAD_SLICE } from './plan-arena.ts'
import { blockAllBut, endSignalOf, type LiveTask, logOf, owns, type RestoreRun } from './state.ts'

const THREAD_FLAGS =
  CLONE.VM | CLONE.FS | CLONE.FILES | CLONE.SIGHAND | CLONE.THREAD | CLONE.SYSVSEM

/** Threads, and then what needs every object of every task to be there. */
export function connectTasks(run: RestoreRun): void {
  for (const live of run.live.values()) {
    run.progress.advance()
    for (const thread of live.task.threads.slice(1)) cloneThread(live, thread, run)
  }
  for (const live of run.live.values()) placeLateDescriptors(live, run)
  run.files.connect()
  for (const live of run.live.values()) connectDescriptors(live, run)
  for (const live of run.live.values()) connectAspects(live, run)
  takeLocks(run)
  inEachThread(run, 'placeThread')
}

/** In each thread, what takes privileges away: nothing but the registers comes after it. */
export function finishThreads(run: RestoreRun): void {
  for (const live of run.live.values()) seal(live, run)
  inEachThread(run, 'finishThread')
  for (const { task } of run.live.values())
    for (const thread of task.threads)
      for (const aspect of taskAspects) aspect.finishOutside?.(task, thread, run)
}

function cloneThread(live: LiveTask, thread: RestoreThread, run: RestoreRun): void {
  const { task, threads } = live
  const leader = threads[0]!
  const table = leader.table()
  const id = table.space(8)
  id.view.setInt32(0, thread.nsTid, true)
  const args = cloneArgs.encode({ flags: THREAD_FLAGS, set_tid: id.address, set_tid_size: 1n })
  const result = table.attempt('clone3', table.data(args), args.length)
  leader.run(table, `clone thread ${thread.nsTid}`)
  if (result.number === -Errno.EEXIST) failPidTaken(thread.nsTid)
  checked(result.number, `clone3 of thread ${thread.nsTid}`, { pid: leader.pid })
  const tid =
    leader.takeBorn()[0] ??
    fail({ code: 'internal', reason: `thread ${thread.nsTid} was not told of` })
  thread.tid = tid
  const signal = endSignalOf(task, thread)
  const ids = { tid, nsTid: thread.nsTid, tgid: task.nsPid }
  const log = logOf(run, task.nsPid)
  threads.push(new StubThread(ids, signal, run.arena, run.arena.slice(THREAD_SLICE), log))
  blockAllBut(tid, signal)
}

/** What the tasks themselves must do with their files: one table each, mostly empty. */
function connectDescriptors(live: LiveTask, run: RestoreRun): void {
  if (!owns(live, 'files')) return
  const leader = live.threads[0]!
  const steps = inTables(leader, 'connect its files', live.task.fds, (table, fd) =>
    run.files.connectIn(live.task, fd, table),
  )
  for (const step of steps) leader.run(step.table, step.what)
}

/** Once nobody closes a descriptor any more: a POSIX lock would go with it. */
function takeLocks(run: RestoreRun): void {
  const locks = readLocksByTask(run)
  for (const { task, threads } of run.live.values()) {
    const checks: (() => void)[] = []
    const steps = inTables(
      threads[0]!,
      'lock its files',
      locks.get(task.nsPid) ?? [],
      (table, lock) => checks.push(addLock(table, task, lock, run)),
    )
    for (const step of steps) {
      threads[0]!.run(step.table, step.what)
      for (const check of checks.splice(0)) check()
    }
  }
}

function connectAspects({ task, threads }: LiveTask, run: RestoreRun): void {
  for (const aspect of taskAspects) {
    if (!aspect.connectProcess) continue
    const table = threads[0]!.table()
    const file = run.images.pathOf('core', task.nsPid)
    fitting(file, aspect.name, () => aspect.connectProcess!(task, table, run))
    if (table.count > 0) threads[0]!.run(table, `restore its ${aspect.name}`)
  }
}

/** One hook of all aspects, in all threads side by side. */
function inEachThread(run: RestoreRun, hook: 'placeThread' | 'finishThread'): void {
  for (const aspect of taskAspects) if (aspect[hook]) inThreads(run, aspect, hook)
}

function inThreads(
  run: RestoreRun,
  aspect: TaskAspect,
  hook: 'placeThread' | 'finishThread',
): void {
  const started = [...run.live.values()].flatMap(({ task, threads }) =>
    task.threads.flatMap((thread, i) => {
      const stub = threads[i]!
      const table = stub.table()
      const file = run.images.pathOf('core', thread.nsTid)
      fitting(file, aspect.name, () => aspect[hook]?.(task, thread, table, run))
      if (table.count === 0) return []
      stub.start(table)
      return [{ stub, table }]
    }),
  )
  for (const { stub, table } of started) stub.finish(table, `restore its ${aspect.name}`)
}

function seal(live: LiveTask, run: RestoreRun): void {
  if (!owns(live, 'vm')) return
  const leader = live.threads[0]!
  const table = leader.table()
  addSeals(table, live.task, run)
  if (table.count > 0) leader.run(table, 'seal its memory')
}

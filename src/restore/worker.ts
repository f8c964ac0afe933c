import { fail } from '../errors/error.ts'
import { CLONE } from '../kernel/constants/sched.ts'
import { Errno } from '../kernel/errno.ts'
import { cloneArgs } from '../kernel/layout/sched.ts'
import { checked } from '../kernel/sys.ts'
import { waitStop } from '../kernel/wait.ts'
import { endSignal, StubThread } from '../tracee/stub-thread.ts'
import { freePids } from './free-pids.ts'
import { WORKER_SLICE } from './plan-arena.ts'
import type { RestoreRun } from './state.ts'

/** __WALL: also children without an exit signal. */
const WALL = 0x40000000

/** A second thread of work in a task's memory, for as long as pages are read. */
export interface Worker extends Disposable {
  readonly stub: StubThread
}

/**
 * A clone that shares memory and descriptors with the task but is a process of its own: its end tells
 * nobody but its parent, which reaps it. Its pid is none that a task needs.
 */
export function hireWorker(leader: StubThread, run: RestoreRun): Worker {
  for (const pid of freePids(run.model)) {
    const table = leader.table()
    const id = table.space(8)
    id.view.setInt32(0, pid, true)
    const flags = CLONE.VM | CLONE.FS | CLONE.FILES
    const args = cloneArgs.encode({ flags, set_tid: id.address, set_tid_size: 1n })
    const result = table.attempt('clone3', table.data(args), args.length)
    leader.run(table, 'clone a worker')
    if (result.number === -Errno.EEXIST) continue
    checked(result.number, 'clone3 of a worker', { pid: leader.pid })
    const [tid] = leader.takeBorn()
    if (tid === undefined) break
    run.made.add(tid)
    const slice = run.arena.slice(WORKER_SLICE)
    const ids = { tid, nsTid: pid, tgid: pid }
    const stub = new StubThread(ids, endSignal(0n), run.arena, slice, run.log)
    return { stub, [Symbol.dispose]: () => dismiss(leader, stub, run) }
  }
  return fail({ code: 'conflict', reason: 'no pid is free for a worker' })
}

function dismiss(leader: StubThread, worker: StubThread, run: RestoreRun): void {
  const exit = worker.table()
  exit.call('exit', 0)
  worker.start(exit)
  for (;;) {
    const stop = waitStop(worker.pid)
    if (stop.kind === 'exited' || stop.kind === 'killed') break
  }
  const reap = leader.table()
  reap.call('wait4', worker.nsTid, 0, WALL, 0)
  leader.run(reap, 'reap a worker')
  run.made.delete(worker.pid)
}

import { F, FD, O } from '../kernel/constants/fcntl.ts'
import { fileId } from '../kernel/types.ts'
import { inTables } from '../resources/memory/restore-steps.ts'
import { FdChannel } from '../tracee/pass-fds.ts'
import type { StubThread } from '../tracee/stub-thread.ts'
import { type LiveTask, owns, type RestoreRun } from './state.ts'

const ALL_FDS = 0xffff_ffff

/** Opens every file of every task that can be opened before the tasks exist. */
export function openFiles(run: RestoreRun): void {
  for (const { fds, fs } of run.model.tasks) {
    for (const { id } of fds) if (!run.files.isLate(fileId(id))) run.files.description(fileId(id))
    if (fs) {
      run.files.description(fileId(fs.root_id))
      run.files.description(fileId(fs.cwd_id))
    }
  }
}

/** Current directory, root and umask; by descriptors that the task has inherited. */
export function placeDirectories(live: LiveTask, run: RestoreRun): void {
  const { fs } = live.task
  if (!fs || !owns(live, 'fs')) return
  const leader = live.threads[0]!
  const table = leader.table()
  table.call('fchdir', run.files.description(fileId(fs.root_id)))
  table.call('chroot', table.string('.'))
  table.call('fchdir', run.files.description(fileId(fs.cwd_id)))
  if (fs.umask !== undefined) table.call('umask', fs.umask)
  leader.run(table, 'enter its directories')
}

/**
 * Puts all descriptors in place. The task has inherited our own at numbers above all that it needs;
 * what could only be opened now that the tasks exist is passed to it first.
 */
export function placeDescriptors(live: LiveTask, run: RestoreRun): void {
  if (!owns(live, 'files')) return
  const leader = live.threads[0]!
  const late = passLate(live, run)
  const first = run.plan.firstFreeFd
  const table = leader.table()
  table.call('close_range', 0, first - 1, 0)
  leader.run(table, 'make room for its descriptors')
  const { fds } = live.task
  const steps = inTables(
    leader,
    'put its descriptors in place',
    fds,
    (calls, { id, fd, flags }) => {
      const from = late.get(id) ?? run.files.description(fileId(id))
      calls.call('dup3', from, fd, flags & FD.CLOEXEC ? O.CLOEXEC : 0)
    },
  )
  for (const step of steps) leader.run(step.table, step.what)
  const last = leader.table()
  last.call('close_range', first, ALL_FDS, 0)
  leader.run(last, 'close what it has inherited')
}

/** Numbers, above all that it needs, of what the task is passed. */
function passLate(live: LiveTask, run: RestoreRun): Map<number, number> {
  const ids = [...new Set(live.task.fds.map(({ id }) => id))].filter((id) =>
    run.files.isLate(fileId(id)),
  )
  const passed = new Map<number, number>()
  if (ids.length === 0) return passed
  const leader = live.threads[0]!
  const local = ids.map((id) => run.files.description(fileId(id)))
  using channel = new FdChannel(leader, leader.pid)
  const numbers = channel.send(local)
  raise(leader, numbers, run.plan.firstFreeFd).forEach((number, i) => {
    passed.set(ids[i]!, number)
  })
  return passed
}

function raise(leader: StubThread, numbers: readonly number[], first: number): number[] {
  const table = leader.table()
  const raised = numbers.map((number) => table.call('fcntl', number, F.DUPFD, first))
  leader.run(table, 'receive descriptors')
  return raised.map((result) => result.number)
}

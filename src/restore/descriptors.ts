import { F, FD, O } from '../kernel/constants/fcntl.ts'
import { readlinkSync } from '../kernel/fs.ts'
import { fileId } from '../kernel/types.ts'
import { inTables } from '../resources/memory/restore-steps.ts'
import { FdChannel } from '../tracee/pass-fds.ts'
import type { StubThread } from '../tracee/stub-thread.ts'
import { gapsBetween, planMoves } from './descriptor-moves.ts'
import { type LiveTask, owns, type RestoreRun } from './state.ts'

const ALL_FDS = 0xffff_ffff

/** Opens every file of every task that can be opened before the tasks exist. */
export function openFiles(run: RestoreRun): void {
  run.files.checkInherited()
  for (const { fds, fs } of run.model.tasks) {
    run.progress.advance()
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
  const root = run.files.description(fileId(fs.root_id))
  // What it was born with takes no privilege.
  if (readlinkSync(`/proc/self/fd/${root}`) !== '/') {
    table.call('fchdir', root)
    table.call('chroot', table.string('.'))
  }
  table.call('fchdir', run.files.description(fileId(fs.cwd_id)))
  if (fs.umask !== undefined) table.call('umask', fs.umask)
  leader.run(table, 'enter its directories')
}

/**
 * Puts all descriptors in place but the late ones. The task has inherited our own at numbers above all
 * that it needs, and keeps them until the late ones are there too.
 */
export function placeDescriptors(live: LiveTask, run: RestoreRun): void {
  if (!owns(live, 'files')) return
  const leader = live.threads[0]!
  const early = live.task.fds.filter(({ id }) => !run.files.isLate(fileId(id)))
  if (run.files.firstFree < run.plan.firstFreeFd) {
    moveDescriptors(leader, early, run)
    return
  }
  const table = leader.table()
  table.call('close_range', 0, run.plan.firstFreeFd - 1, 0)
  leader.run(table, 'make room for its descriptors')
  duplicate(leader, early, (id) => run.files.description(fileId(id)))
}

/** As above, but among numbers that it is to have are some that it needs first. */
function moveDescriptors(
  leader: StubThread,
  fds: LiveTask['task']['fds'],
  { files, plan }: RestoreRun,
): void {
  const wanted = fds.map(({ id, fd, flags }) => ({
    from: files.description(fileId(id)),
    fd,
    closeOnExec: (flags & FD.CLOEXEC) !== 0,
  }))
  const spare = 1 + Math.max(plan.firstFreeFd, ...files.all())
  const moves = planMoves(wanted, spare)
  const steps = inTables(leader, 'move its descriptors', moves, (table, move) => {
    if (move.do === 'copy') {
      table.call('dup3', move.from, move.to, move.closeOnExec ? O.CLOEXEC : 0)
    } else table.call('fcntl', move.fd, F.SETFD, move.closeOnExec ? FD.CLOEXEC : 0)
  })
  for (const step of steps) leader.run(step.table, step.what)
  const gaps = gapsBetween(
    fds.map(({ fd }) => fd),
    plan.firstFreeFd,
  )
  const rest = inTables(leader, 'close what it has inherited', gaps, (table, [from, to]) =>
    table.call('close_range', from, to, 0),
  )
  for (const step of rest) leader.run(step.table, step.what)
}

/**
 * What can only be opened once the tasks exist, and for some files (`/proc/PID/fdinfo/N`) once their
 * descriptors do. It is passed to the task by a socket.
 */
export function placeLateDescriptors(live: LiveTask, run: RestoreRun): void {
  if (!owns(live, 'files')) return
  const leader = live.threads[0]!
  const first = run.plan.firstFreeFd
  const late = live.task.fds.filter(({ id }) => run.files.isLate(fileId(id)))
  if (late.length > 0) {
    const numbers = passLate(leader, [...new Set(late.map(({ id }) => id))], run)
    duplicate(leader, late, (id) => numbers.get(id)!)
  }
  const table = leader.table()
  table.call('close_range', first, ALL_FDS, 0)
  leader.run(table, 'close what it has inherited')
}

function duplicate(
  leader: StubThread,
  fds: LiveTask['task']['fds'],
  from: (id: number) => number,
): void {
  const what = 'put its descriptors in place'
  const steps = inTables(leader, what, fds, (calls, { id, fd, flags }) => {
    calls.call('dup3', from(id), fd, flags & FD.CLOEXEC ? O.CLOEXEC : 0)
  })
  for (const step of steps) leader.run(step.table, step.what)
}

/** Numbers, above all that it needs, of what the task is passed. */
function passLate(
  leader: StubThread,
  ids: readonly number[],
  run: RestoreRun,
): Map<number, number> {
  const local = ids.map((id) => run.files.description(fileId(id)))
  using channel = new FdChannel(leader, leader.pid)
  const numbers = channel.send(local)
  const table = leader.table()
  const raised = numbers.map((number) => table.call('fcntl', number, F.DUPFD, run.plan.firstFreeFd))
  // The low numbers are the task's own again before anything is put there.
  for (const number of [...numbers, channel.end]) table.call('close', number)
  leader.run(table, 'receive descriptors')
  return new Map(ids.map((id, i) => [id, raised[i]!.number]))
}

import { fail } from '../errors/error.ts'
import { sentence } from '../errors/sentence.ts'
import { ImageDirectory } from '../images/directory.ts'
import type { JobContext } from '../job/context.ts'
import type { RestoreOptions } from '../job/options.ts'
import type { RestoreReport } from '../job/report.ts'
import { CAP, hasCap } from '../kernel/constants/capability.ts'
import { removeAllSync, writeFileSync } from '../kernel/fs.ts'
import { startHeartbeat } from '../kernel/heartbeat.ts'
import { readStatus } from '../kernel/proc/status.ts'
import type { HostPid } from '../kernel/types.ts'
import { waitStop } from '../kernel/wait.ts'
import { stage } from '../log/stage.ts'
import { sweepNotedLocks, unlockRestored } from '../network-lock/lock.ts'
import { openMemory } from '../resources/memory/restore.ts'
import { taskAspects } from '../resources/registry.ts'
import { openForSessions } from '../resources/terminals/terminal-set.ts'
import { getAffinity, pinOurselves } from '../tracee/pin.ts'
import { StubArena } from '../tracee/stub-arena.ts'
import { checkCpu } from './check-cpu.ts'
import { connectTasks, finishThreads } from './connect.ts'
import { createTasks } from './create.ts'
import { openFiles } from './descriptors.ts'
import { finishTasks, letGo } from './finish.ts'
import { fitting } from './fitting.ts'
import { killAll } from './kill.ts'
import { firstOwnFd, raiseFileLimit } from './limits.ts'
import { FileTable } from './open-files.ts'
import { placeTasks } from './place.ts'
import { makePlan, type Plan } from './plan.ts'
import { printPlan } from './plan-text.ts'
import { readModel } from './read.ts'
import type { RestoreRun } from './state.ts'
import { writeStats } from './stats.ts'
import { clonedBy, TreeMemory } from './tree-memory.ts'

/**
 * Restores the tree of the images. From the creation of the first task to the moment when all are let
 * go everything is synchronous: nothing may wait while tasks are held. A restore that fails leaves no
 * task behind.
 */
export async function restore(options: RestoreOptions, ctx: JobContext): Promise<RestoreReport> {
  using images = ImageDirectory.open(options.imagesDir)
  const { path } = images
  const model = stage(ctx, 'read', () => fitting(path, 'the images', () => readModel(images)))
  const plan = stage(ctx, 'plan', () => fitting(path, 'a plan', () => makePlan(model, options)))
  refuseObstacles(plan)
  requirePrivileges()
  checkCpu(images, options.cpuCap)
  if (options.root !== undefined)
    ctx.log.warn('--root has no effect: the images hold no mount namespace')
  requirePlugins(model.inventory.plugins_entry?.plugins ?? [], ctx)
  ctx.abort?.check()
  ctx.scripts.run('pre-restore')
  ctx.stats.start('restoreTime')
  sweepNotedLocks(ctx.log)
  const report = execute(plan, images, options, ctx)
  try {
    writeStats(options.workDir, ctx.stats)
  } catch (error) {
    ctx.log.failure(error) // the tree runs: it is restored
  }
  return report
}

/** The plan as text, made from the images alone. */
export async function plan(options: RestoreOptions, _ctx: JobContext): Promise<string> {
  using images = ImageDirectory.open(options.imagesDir)
  return printPlan(makePlan(readModel(images), options))
}

/** Blocks until the restored root, a child of ours, has ended. */
export function waitForRoot(root: HostPid): void {
  for (;;) {
    const stop = waitStop(root)
    if (stop.kind === 'exited' || stop.kind === 'killed') return
  }
}

/** A pid cannot be chosen without one of these (clone3, set_tid; since Linux 5.9 the second). */
function requirePrivileges(): void {
  const { effective } = readStatus('/proc/self').caps
  if (hasCap(effective, CAP.SYS_ADMIN) || hasCap(effective, CAP.CHECKPOINT_RESTORE)) return
  fail({
    code: 'conflict',
    reason: 'a restore needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN, and criu has neither',
    remedy: 'run criu as root',
  })
}

/** Those that keep something of the images. */
function requirePlugins(names: readonly string[], { plugins }: JobContext): void {
  const absent = names.filter((name) => !plugins?.isLoaded(name))
  if (absent.length === 0) return
  fail({
    code: 'option',
    option: '--libdir',
    reason: `must name a directory with the plugins of these images: ${absent.join(', ')}`,
  })
}

function refuseObstacles({ obstacles }: Plan): void {
  if (obstacles.length > 0) fail({ code: 'obstacles', obstacles, restoring: true })
}

type AtEnd = (succeeded: boolean) => void

/** Of a restore that has failed each has its turn, and none hides why it failed. */
function endOne(action: AtEnd, succeeded: boolean, { log }: JobContext): void {
  try {
    action(succeeded)
  } catch (error) {
    if (succeeded) throw error
    log.warn(sentence(error))
  }
}

function execute(
  plan: Plan,
  images: ImageDirectory,
  options: RestoreOptions,
  ctx: JobContext,
): RestoreReport {
  const ends: AtEnd[] = []
  const endAll = (succeeded: boolean): void => {
    while (ends.length > 0) endOne(ends.pop()!, succeeded, ctx)
  }
  const limit = raiseFileLimit()
  using _heartbeat = startHeartbeat()
  using files = new FileTable(() => run, firstOwnFd(plan, limit))
  using arena = new StubArena(plan.arenaSize, plan.firstFreeFd)
  const run: RestoreRun = {
    ...ctx,
    options,
    images,
    model: plan.model,
    plan,
    files,
    arena,
    affinity: getAffinity(0),
    made: new Set(),
    live: new Map(),
    atEnd: (action) => ends.push(action),
  }
  try {
    const settle = (): void => {
      endAll(true)
      // An end of a pipe that we still held would keep its reader from the end of file.
      files[Symbol.dispose]()
    }
    return fitting(images.path, 'the tree', () => runStages(run, settle))
  } catch (error) {
    killAll(run.made)
    endAll(false)
    throw error
  }
}

/**
 * The stages, in the order that each needs of the one before: a task inherits what was opened when it
 * was created; its descriptors come after the memory that is mapped from them; other tasks' objects
 * exist before anything connects to them; privileges and the arena go last. `settle` gives up what is
 * ours in their objects, before a task can see it.
 */
function runStages(run: RestoreRun, settle: () => void): RestoreReport {
  const { log, scripts, stats } = run
  const goOn = (): void => run.abort?.check()
  const memory = stage(run, 'open', () => {
    for (const aspect of taskAspects) aspect.prepare?.(run)
    openFiles(run)
    openForSessions(run, (fd) => run.files.adopt(fd))
    const parents = clonedBy(run.plan.steps)
    return new TreeMemory(
      run,
      openMemory(run, parents, (fd) => run.files.adopt(fd)),
    )
  })
  goOn()
  using _pin = pinOurselves()
  stage(run, 'create', () => stats.measure('forkingTime', () => createTasks(run, memory)))
  const root = run.model.tasks[0]!.pid!
  scripts.run('setup-namespaces', root)
  // Here namespaces of the tree's own will be filled, before anything is placed in them.
  scripts.run('post-setup-namespaces', root)
  goOn()
  stage(run, 'place', () => placeTasks(run, memory))
  goOn()
  stage(run, 'connect', () => connectTasks(run))
  goOn()
  stage(run, 'finish', () => {
    finishThreads(run)
    scripts.run('post-restore', root)
    finishTasks(run)
    goOn()
    writePidFile(run, root)
    scripts.run('network-unlock', root)
    unlockRestored(run.model.inventory, run.model.tasks[0]!.nsPid, log)
    scripts.run('pre-resume', root)
    for (const { task } of run.live.values()) run.plugins?.devices('resumeDevicesLate', task.pid!)
    settle()
    letGo(run)
  })
  stats.stop('restoreTime')
  afterResume(run, root)
  return report(run, root)
}

/** The tasks run already: a script that fails now is told of, and changes nothing. */
function afterResume({ scripts, log }: RestoreRun, root: HostPid): void {
  try {
    scripts.run('post-resume', root)
  } catch (error) {
    log.failure(error)
  }
}

function report({ live, stats }: RestoreRun, root: HostPid): RestoreReport {
  const threads = [...live.values()].reduce((sum, one) => sum + one.threads.length, 0)
  const pages = Number(stats.counted('pagesRestored'))
  return { root, tasks: live.size, threads, pages }
}

function writePidFile({ options: { pidfile }, atEnd }: RestoreRun, root: HostPid): void {
  if (pidfile === undefined) return
  writeFileSync(pidfile, String(root), { flag: 'wx', mode: 0o600 })
  atEnd((succeeded) => {
    if (!succeeded) removeAllSync(pidfile)
  })
}

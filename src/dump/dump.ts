import { CriuError, fail, type Obstacle } from '../errors/error.ts'
import { sentence } from '../errors/sentence.ts'
import { ImageDirectory } from '../images/directory.ts'
import type { JobContext } from '../job/context.ts'
import { startDeadline } from '../job/deadline.ts'
import type { DumpOptions } from '../job/options.ts'
import type { DumpReport } from '../job/report.ts'
import { W, WAIT_KIND } from '../kernel/constants/wait.ts'
import { startHeartbeat } from '../kernel/heartbeat.ts'
import { tryReadStat } from '../kernel/proc/stat.ts'
import { type HostPid, hostPid } from '../kernel/types.ts'
import { stage } from '../log/stage.ts'
import { sweepNotedLocks, TreeLock } from '../network-lock/lock.ts'
import type { DumpContext } from '../resources/dump-model.ts'
import { noteFutureLocks } from '../resources/memory/dump-lock-future.ts'
import { bytesToWrite, writePrivatePages } from '../resources/memory/dump-memory.ts'
import { writeSharedMemory } from '../resources/memory/dump-shared.ts'
import type { HeldMemory } from '../resources/memory/held-memory.ts'
import { fdKinds, taskAspects } from '../resources/registry.ts'
import { Infection } from '../tracee/infection.ts'
import { pinOurselves } from '../tracee/pin.ts'
import { killProcess, releaseProcess, releaseStopped } from '../tracee/release.ts'
import { type SeizedTree, seizeTree } from '../tracee/seize.ts'
import { askTask } from './ask.ts'
import { collectDeadCopies, collectTasks, collectZombies } from './collect.ts'
import { pauseDevices } from './devices.ts'
import { DumpFiles } from './files.ts'
import { Freezer } from './freezer.ts'
import { lookAtTree } from './look.ts'
import { outlookOf } from './outlook.ts'
import { checkTarget } from './target.ts'
import { sampleWaits, type Wait } from './waits.ts'
import { writeImages, writeInventory } from './write.ts'

/**
 * Saves a process tree as images: `probe → seize → collect → infect → drain → pages → write →
 * release`. Nothing waits for anything but the tasks between seize and release: all of it is
 * synchronous. Whatever fails, every task goes on as it was and no image stays.
 */
export async function dump(options: DumpOptions, ctx: JobContext): Promise<DumpReport> {
  checkTarget(hostPid(options.tree))
  using images = ImageDirectory.open(options.imagesDir)
  ctx.scripts.run('pre-dump')
  const resumeDevices = pauseDevices(options.tree, ctx)
  let goesOn = true
  let report: DumpReport
  try {
    report = dumpTree(options, ctx, images)
    goesOn = options.finalState === 'running'
  } finally {
    if (goesOn) resumeDevices()
  }
  // The tasks may be gone by now: nothing that fails from here on may cost the images.
  tolerate(ctx, () => writeStats(options, ctx, images))
  return { ...report, frozenMicros: ctx.stats.micros('frozenTime') }
}

function dumpTree(options: DumpOptions, ctx: JobContext, images: ImageDirectory): DumpReport {
  const { log, stats } = ctx
  const root = hostPid(options.tree)
  const deadline = startDeadline('collecting the process tree', options.timeout, ctx.abort)
  const waits = stage(ctx, 'probe', () => {
    sweepNotedLocks(log)
    return sampleWaits(root)
  })
  using _heartbeat = startHeartbeat()
  stats.start('frozenTime')
  const tree = stage(ctx, 'seize', () =>
    stats.measure('freezingTime', () => {
      using freezer = options.freezeCgroup
        ? new Freezer(options.freezeCgroup, root, deadline)
        : undefined
      return seizeTree(root, deadline, freezer)
    }),
  )
  const network = new TreeLock(root, options.networkLock, log)
  let release: (process: SeizedTree['processes'][number]) => void = releaseProcess
  const ends: Ends = { atEnd: [], afterRelease: [], atFailure: [() => images.removeWritten()] }
  let succeeded = false
  let saved: Saved | undefined
  try {
    ctx.scripts.run('network-lock', root)
    const outside = ctx.scripts.externalObjects?.() ?? []
    const asked = { ...options, external: [...options.external, ...outside] }
    saved = saveTree(asked, ctx, images, { tree, waits, network }, ends)
    if (!saved.later) {
      saved.complete()
      ctx.abort?.check()
    }
    ctx.scripts.run('post-dump', root)
    succeeded = true
    if (options.finalState === 'killed') release = killProcess
    if (options.finalState === 'stopped') release = releaseStopped
  } catch (error) {
    for (const action of ends.atFailure) tolerate(ctx, action)
    throw ofDeadTask(error, tree)
  } finally {
    // One that cannot be let go must not keep the others, nor hide what failed before.
    stage(ctx, 'release', () => {
      // Before a task can see it: a name that a dump gave to an unlinked file.
      for (const action of ends.atEnd.reverse()) tolerate(ctx, () => action(succeeded))
      if (release !== killProcess) {
        tolerate(ctx, () => ctx.scripts.run('network-unlock', root))
        tolerate(ctx, () => network.unlock())
      }
      // Children first: a parent that is gone would leave them to somebody who reaps late.
      for (const process of [...tree.processes].reverse()) attempt(ctx, () => release(process))
      for (const action of ends.afterRelease) tolerate(ctx, action)
    })
    stats.stop('frozenTime')
  }
  try {
    if (saved.later) saved.complete()
    return saved.report()
  } catch (error) {
    for (const action of ends.atFailure) tolerate(ctx, action)
    throw error
  }
}

/** A tree whose images are written, but for what can wait until its tasks go on. */
interface Saved {
  /** Copies of the tasks' memory are held: {@link complete} is for when they have gone on. */
  readonly later: boolean
  complete(): void
  report(): DumpReport
}

/** What kinds have to do once all is saved or has failed: before and after the tasks are let go. */
interface Ends {
  readonly atEnd: ((succeeded: boolean) => void)[]
  readonly afterRelease: (() => void)[]
  /** If it has failed, perhaps with the tasks gone on already. */
  readonly atFailure: (() => void)[]
}

/** What failed since a task was killed meanwhile says that, instead of the call that noticed. */
function ofDeadTask(error: unknown, { processes }: SeizedTree): unknown {
  const code = error instanceof CriuError ? error.detail.code : 'internal'
  if (!['syscall', 'tracee', 'vanished', 'internal'].includes(code)) return error
  const dead = processes.find(({ pid }) => {
    const state = tryReadStat(`/proc/${pid}`)?.state ?? 'X'
    return state === 'Z' || state === 'X'
  })
  if (!dead) return error
  const reason = 'it was killed while it was being dumped'
  return new CriuError({ code: 'vanished', pid: dead.pid, reason }, { cause: error })
}

/** Of one task among many, which may have died: the others have their turn all the same. */
function attempt({ log }: JobContext, action: () => void): void {
  try {
    action()
  } catch (error) {
    log.warn(sentence(error))
  }
}

/** What no longer can change how the job ends: a failure is told of, and no more. */
function tolerate({ log }: JobContext, action: () => void): void {
  try {
    action()
  } catch (error) {
    log.failure(error)
  }
}

/** What a dump has at hand once its tree stands still. */
interface Held {
  readonly tree: SeizedTree
  readonly waits: ReadonlyMap<HostPid, Wait>
  readonly network: TreeLock
}

function saveTree(
  options: DumpOptions,
  ctx: JobContext,
  images: ImageDirectory,
  { tree, waits, network }: Held,
  ends: Ends,
): Saved {
  const { stats } = ctx
  using files = new DumpFiles(fdKinds)
  const obstacles: Obstacle[] = []
  const { tasks, zombies } = stage(ctx, 'collect', () => ({
    tasks: collectTasks(tree),
    zombies: collectZombies(tree),
  }))
  const context: DumpContext = {
    ...ctx,
    options,
    images,
    tasks,
    files,
    network,
    refuse: (obstacle) => obstacles.push(obstacle),
    atEnd: (action) => ends.atEnd.push(action),
    afterRelease: (action) => ends.afterRelease.push(action),
    atFailure: (action) => ends.atFailure.push(action),
  }
  for (const { pid } of tasks) ctx.plugins?.devices('checkpointDevices', pid)
  files.begin(context)
  const memories = lookAtTree(context, { files, zombies, waits })
  if (obstacles.length > 0)
    fail({ code: 'obstacles', obstacles, outlook: outlookOf(context, memories) })
  const cure = (): void =>
    stage(ctx, 'cure', () => {
      for (const task of tasks) attempt(ctx, () => task.infection?.cure())
    })
  let held: HeldMemory | undefined
  try {
    stage(ctx, 'infect', () => {
      infectAll(context)
      buryCopies(tree, context)
    })
    const ids = countFrom(1)
    held = stage(ctx, 'pages', () =>
      stats.measure('memwriteTime', () => {
        ctx.progress.expect(bytesToWrite(memories))
        writeSharedMemory(memories, ids, context)
        return writePrivatePages(memories, ids, context)
      }),
    )
  } finally {
    if (!held) cure()
  }
  try {
    stage(ctx, 'write', () => {
      ctx.abort?.check()
      for (const aspect of taskAspects) aspect.finishDump?.(context)
      files.drain()
      writeImages(context, { memories, zombies, files })
    })
  } catch (error) {
    if (held) endHeld(ctx, held, cure)
    throw error
  }
  return {
    later: held !== undefined,
    complete() {
      try {
        if (held)
          stage(ctx, 'held pages', () =>
            stats.measure('memwriteTime', () => held.write(ctx.progress)),
          )
      } finally {
        if (held) endHeld(ctx, held, cure)
      }
      writeInventory(context)
    },
    report: () => ({
      root: hostPid(options.tree),
      tasks: tasks.length,
      threads: tasks.reduce((sum, task) => sum + task.threads.length, 0),
      pages: Number(stats.counted('pagesWritten')),
      frozenMicros: 0, // known once they go on
    }),
  }
}

/** The copies end first: the helpers wait for them. */
function endHeld(ctx: JobContext, held: HeldMemory, cure: () => void): void {
  attempt(ctx, () => held[Symbol.dispose]())
  cure()
}

/** Puts a helper into each task and asks it. Both of us stay on one CPU: the cost is the switch. */
function infectAll(context: DumpContext): void {
  using pinned = pinOurselves()
  for (const task of context.tasks) {
    context.abort?.check()
    const { signals } = task.status
    const pending = task.threads.reduce(
      (sum, thread) => sum | thread.status.signals.pending,
      signals.pending | signals.sharedPending,
    )
    const { caught, ignored } = signals
    const facts = { caught, ignored, pending, isStopped: task.seized.stopSignal !== 0 }
    task.infection = new Infection(task.seized, task.maps, facts, context.log)
    noteFutureLocks(task)
    task.infection.pin(pinned.cpu)
    askTask(task, taskAspects, context)
    task.infection.pin(undefined)
    context.progress.advance()
  }
}

/** Waits, in their parents, for what dumps that were killed have left. */
function buryCopies(tree: SeizedTree, { tasks }: DumpContext): void {
  for (const { nsPid, ppid } of collectDeadCopies(tree)) {
    const infection = tasks.find(({ pid }) => pid === ppid)?.infection
    const table = infection?.table()
    table?.attempt('wait4', nsPid, 0, WAIT_KIND.ALL | W.NOHANG, 0)
    if (table) infection?.run(table, 'reap a copy of its memory')
  }
}

function* countFrom(first: number): Generator<number> {
  for (let n = first; ; n++) yield n
}

/** stats-dump stands in the work directory, as upstream writes it. */
function writeStats(options: DumpOptions, ctx: JobContext, images: ImageDirectory): void {
  const { dump } = ctx.stats.dumpEntry()
  const work = options.workDir === options.imagesDir ? images : ImageDirectory.open(options.workDir)
  try {
    work.write('stats-dump', [{ dump: snakeCase(dump) as never }])
  } finally {
    if (work !== images) work.close()
  }
}

/** The fields of a message have upstream's names. */
function snakeCase(entry: Readonly<Record<string, number | bigint>>) {
  const name = (field: string) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return Object.fromEntries(Object.entries(entry).map(([field, value]) => [name(field), value]))
}

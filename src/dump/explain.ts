import type { Obstacle, Outlook } from '../errors/error.ts'
import { helpingOptions, sentence } from '../errors/sentence.ts'
import { ImageDirectory } from '../images/directory.ts'
import type { JobContext } from '../job/context.ts'
import { startDeadline } from '../job/deadline.ts'
import type { DumpOptions, ExplainOptions } from '../job/options.ts'
import { Stats } from '../job/stats.ts'
import { startHeartbeat } from '../kernel/heartbeat.ts'
import { displayPath } from '../kernel/proc/bytes.ts'
import { statFs } from '../kernel/stat-fs.ts'
import { type HostPid, hostPid } from '../kernel/types.ts'
import { openLog } from '../log/file-log.ts'
import { stage } from '../log/stage.ts'
import { TreeLock } from '../network-lock/lock.ts'
import type { DumpContext } from '../resources/dump-model.ts'
import type { TaskMemory } from '../resources/memory/dump-memory.ts'
import { fdKinds } from '../resources/registry.ts'
import { releaseProcess } from '../tracee/release.ts'
import { type SeizedTree, seizeTree } from '../tracee/seize.ts'
import { collectTasks, collectZombies } from './collect.ts'
import { DumpFiles } from './files.ts'
import { lookAtTree } from './look.ts'
import { outlookOf } from './outlook.ts'
import { rehearse } from './rehearsal.ts'
import { scratchImages } from './scratch-images.ts'
import { checkTarget } from './target.ts'
import { sampleWaits, type Wait } from './waits.ts'

/** A process of the tree, in numbers. */
export interface ExplainedProcess {
  readonly pid: number
  readonly comm: string
  readonly threads: number
  readonly descriptors: number
  /** Bytes of its memory that a dump writes; what it shares with others is not counted. */
  readonly memory: number
}

/** Whether a dump would work, and what it would cost. */
export interface Explanation {
  /** With the options that were given. */
  readonly possible: boolean
  readonly obstacles: readonly Obstacle[]
  /** Further options that help against some of them. */
  readonly options: readonly string[]
  /** With these options too. */
  readonly possibleWithOptions: boolean
  /** What is in the way then. */
  readonly remaining: readonly Obstacle[]
  readonly outlook: Outlook
  readonly processes: readonly ExplainedProcess[]
  /** How long the tree stood still to be looked at, each time that it was. */
  readonly lookMicros: readonly number[]
}

/** An option may bring others to light, which again need one; then it is enough. */
const LOOKS = 4
/** These change something outside of the tree for as long as a dump takes, and so are believed. */
const NOT_TRIED: readonly string[] = ['--link-remap']

/**
 * Looks at a tree as a dump does, up to where it would run something in the tasks, and lets it go. Where
 * options help it looks again with them: each look is short, and the tree runs in between.
 * `withOptions` makes the options of this job with more of them.
 */
export function explain(
  options: ExplainOptions,
  ctx: JobContext,
  withOptions: (more: readonly string[]) => ExplainOptions,
): Explanation {
  checkTarget(hostPid(options.tree))
  const quiet: JobContext = { ...ctx, log: openLog({ verbosity: 0, path: undefined }) }
  const rehearsed = rehearse((child) => look({ ...options, tree: child }, quiet, 0))
  // Half of it: the child, a copy of us, has many times the mappings of a small program.
  const coldMicros = (rehearsed?.micros ?? 0) / 2
  const looks = [look(options, ctx, coldMicros)]
  const helping: string[] = []
  while (looks.length < LOOKS) {
    const more = helpingOptions(looks.at(-1)!.obstacles).filter((one) => !helping.includes(one))
    helping.push(...more)
    if (!more.some(isTried)) break
    looks.push(look(withOptions(helping.filter(isTried)), ctx, coldMicros))
  }
  const [first, last] = [looks[0]!, looks.at(-1)!]
  const remaining = last.obstacles.filter(({ option }) => !option || isTried(option))
  return {
    possible: first.obstacles.length === 0,
    obstacles: first.obstacles,
    options: helping,
    possibleWithOptions: remaining.length === 0,
    remaining,
    outlook: last.outlook,
    processes: last.processes,
    lookMicros: looks.map(({ micros }) => micros),
  }
}

const isTried = (option: string): boolean => !NOT_TRIED.includes(option)

interface Look {
  readonly obstacles: readonly Obstacle[]
  readonly outlook: Outlook
  readonly processes: readonly ExplainedProcess[]
  readonly micros: number
}

/** From the stop of the tree to its release. Images that kinds write on the way are nobody's. */
function look(options: ExplainOptions, job: JobContext, coldMicros: number): Look {
  const stats = new Stats()
  const ctx = { ...job, stats }
  const { log } = ctx
  const root = hostPid(options.tree)
  using scratch = scratchImages()
  const deadline = startDeadline('collecting the process tree', options.timeout, ctx.abort)
  const waits = stage(ctx, 'probe', () => sampleWaits(root))
  using _heartbeat = startHeartbeat()
  stats.start('frozenTime')
  const tree = stage(ctx, 'seize', () => seizeTree(root, deadline))
  const ends: ((succeeded: boolean) => void)[] = []
  const afterRelease: (() => void)[] = []
  let seen: Omit<Look, 'micros'>
  try {
    seen = collect(
      { ...options, command: 'dump' },
      ctx,
      scratch.images,
      { tree, waits, coldMicros },
      ends,
      afterRelease,
    )
  } finally {
    stage(ctx, 'release', () => {
      for (const end of ends.reverse()) tolerate(ctx, () => end(false))
      for (const process of [...tree.processes].reverse())
        tolerate(ctx, () => releaseProcess(process))
      for (const action of afterRelease) tolerate(ctx, action)
    })
    stats.stop('frozenTime')
  }
  const { obstacles } = seen
  const room = roomObstacle(options, seen.outlook, root)
  log.info(`looked at: ${obstacles.length} obstacles`)
  return {
    ...seen,
    obstacles: [...obstacles, ...room].sort((a, b) => a.pid - b.pid),
    micros: Math.round(stats.micros('frozenTime')),
  }
}

interface Held {
  readonly tree: SeizedTree
  readonly waits: ReadonlyMap<HostPid, Wait>
  readonly coldMicros: number
}

function collect(
  options: DumpOptions,
  ctx: JobContext,
  images: ImageDirectory,
  { tree, waits, coldMicros }: Held,
  ends: ((succeeded: boolean) => void)[],
  afterRelease: (() => void)[],
): Omit<Look, 'micros'> {
  using files = new DumpFiles(fdKinds)
  const obstacles: Obstacle[] = []
  const { tasks, zombies } = stage(ctx, 'collect', () => ({
    tasks: collectTasks(tree),
    zombies: collectZombies(tree),
  }))
  const dump: DumpContext = {
    ...ctx,
    options,
    images,
    tasks,
    files,
    network: new TreeLock(hostPid(options.tree), options.networkLock, ctx.log),
    refuse: (obstacle) => obstacles.push(obstacle),
    atEnd: (action) => ends.push(action),
    afterRelease: (action) => afterRelease.push(action),
    atFailure: (action) => ends.push(action),
  }
  files.begin(dump)
  const memories = lookAtTree(dump, { files, zombies, waits })
  return {
    obstacles,
    outlook: withImages(outlookOf(dump, memories, coldMicros / 1000), images),
    processes: memories.map((memory) => inNumbers(memory, files)),
  }
}

/** What was written already stands for what a dump writes of it: files without names, bytes in pipes. */
function withImages(outlook: Outlook, images: ImageDirectory): Outlook {
  const { blocks, bsize, bfree } = statFs(images.fd)
  const used = Number(blocks - bfree) * Number(bsize)
  return isTmpfs(images) ? { ...outlook, bytes: outlook.bytes + used } : outlook
}

/** The directory in /tmp is on a file system of others. */
const isTmpfs = ({ path }: ImageDirectory): boolean => !path.startsWith('/tmp/')

function inNumbers({ task, segments }: TaskMemory, files: DumpFiles): ExplainedProcess {
  return {
    pid: task.pid,
    comm: displayPath(task.stat.comm),
    threads: task.threads.length,
    descriptors: files.descriptors.filter(({ probe }) => probe.task === task).length,
    memory: segments.reduce((sum, { length }) => sum + length, 0),
  }
}

/** Would the images have room where they are to be. */
function roomObstacle({ imagesDir }: ExplainOptions, { bytes }: Outlook, pid: HostPid): Obstacle[] {
  using images = ImageDirectory.open(imagesDir)
  const { bavail, bsize } = statFs(images.fd)
  const free = Number(bavail) * Number(bsize)
  if (free >= bytes) return []
  return [
    {
      pid,
      comm: 'images',
      where: imagesDir,
      what: `room for ${free} bytes, and about ${bytes} are needed`,
      remedy: 'make room there, or choose another directory with -D',
    },
  ]
}

function tolerate({ log }: JobContext, action: () => void): void {
  try {
    action()
  } catch (error) {
    log.warn(sentence(error))
  }
}

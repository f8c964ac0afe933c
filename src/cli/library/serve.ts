import type { JobName, Request } from '../../api/wire.ts'
import { EXIT_FAILURE, EXIT_OK } from '../../errors/exit.ts'
import { abortable, bothAborts } from '../../job/abort.ts'
import type { JobContext } from '../../job/context.ts'
import type { JobOptions } from '../../job/options.ts'
import { Stats } from '../../job/stats.ts'
import { libraryOptions } from '../../options/library.ts'
import { normalise } from '../../options/normalise.ts'
import type { RawOption } from '../../options/raw.ts'
import { allOptions } from '../../options/sources.ts'
import { createScriptRunner } from '../../scripts/runner.ts'
import type { Engine } from '../engine.ts'
import { openJobLog } from '../job.ts'
import { withPlugins } from '../plugins.ts'
import { Channel } from './channel.ts'
import { encodeError } from './encode-error.ts'
import { checkJob, explainJob, readImagesJob } from './looks.ts'
import { ChannelProgress } from './progress.ts'

/**
 * One job for the library (`src/api`), which has started us for it: a private command, that no help
 * mentions. The caller's event loop goes on meanwhile, and no state of one job is seen by another.
 */
export async function serveLibrary(engine: Engine): Promise<number> {
  const channel = new Channel()
  try {
    const result = await run(channel.request(), channel, engine)
    channel.answer({ kind: 'result', result })
    return EXIT_OK
  } catch (error) {
    channel.answer({ kind: 'error', error: encodeError(error) })
    return EXIT_FAILURE
  }
}

async function run({ command, options }: Request, channel: Channel, engine: Engine) {
  return jobs[command](await allOptions(libraryOptions(options)), channel, engine)
}

type Job = (raw: readonly RawOption[], channel: Channel, engine: Engine) => Promise<unknown>

const jobs: Readonly<Record<JobName, Job>> = {
  async dump(raw, channel, engine) {
    const options = normalise('dump', raw)
    const { dump } = await engine.dump()
    return inContext(options, channel, engine, async (ctx) => {
      const { root, ...report } = await dump(options, ctx)
      const frozenMicros = Math.round(report.frozenMicros)
      return { pid: root, ...report, frozenMicros, stats: plain(ctx.stats.dumpEntry().dump) }
    })
  },

  async restore(raw, channel, engine) {
    const detached = { name: 'restore-detached', value: true, spelled: 'restore' }
    const options = normalise('restore', [...raw, detached])
    const { restore } = await engine.restore()
    return inContext(options, channel, engine, async (ctx) => {
      const { root, ...report } = await restore(options, ctx)
      return { pid: root, ...report, stats: plain(ctx.stats.restoreEntry().restore) }
    })
  },

  check: checkJob,
  explain: explainJob,
  readImages: readImagesJob,
}

async function inContext<T>(
  options: JobOptions & { readonly command: string; readonly logPid?: boolean },
  channel: Channel,
  engine: Engine,
  body: (ctx: JobContext) => Promise<T>,
): Promise<T> {
  const log = openJobLog(options)
  using interrupts = await engine.interrupts()
  const abort = bothAborts(interrupts, channel)
  try {
    const programs = await engine.programs()
    const runProgram = interrupts.whileWanted(channel.whileOpen(programs.runProgram))
    log.info(`${options.command} begins, for a caller of the library`)
    const { actionScripts, imagesDir } = options
    const scripts = createScriptRunner({ scripts: actionScripts, imagesDir, log, runProgram })
    const progress = abortable(new ChannelProgress(channel), abort)
    return await withPlugins(options, log, (plugins) =>
      body({
        log,
        scripts,
        stats: new Stats(),
        progress,
        abort,
        ...(plugins && { plugins }),
      }),
    )
  } catch (failure) {
    const error = channel.reasonOf(interrupts.reasonOf(failure))
    log.failure(error)
    throw error
  } finally {
    log.close()
  }
}

/** Counters that fit a number of JavaScript's: 2^53 pages are more than there are. */
const plain = (entry: Readonly<Record<string, number | bigint>>): Record<string, number> =>
  Object.fromEntries(Object.entries(entry).map(([name, value]) => [name, Number(value)]))

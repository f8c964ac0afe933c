import { CriuError } from '../errors/error.ts'
import { EXIT_FAILURE } from '../errors/exit.ts'
import { sentence } from '../errors/sentence.ts'
import { type Abort, abortable, bothAborts } from '../job/abort.ts'
import type { JobContext, RpcClient } from '../job/context.ts'
import type { JobOptions } from '../job/options.ts'
import { noProgress } from '../job/progress.ts'
import { Stats } from '../job/stats.ts'
import { type JobLog, openLog } from '../log/file-log.ts'
import { bothRunners, createScriptRunner, type ScriptRunner } from '../scripts/runner.ts'
import type { Engine } from './engine.ts'
import type { Interrupts } from './interrupts.ts'
import type { Io } from './io.ts'
import { withPlugins } from './plugins.ts'
import { terminalProgress } from './progress.ts'
import { versionText } from './version.ts'

type Options = JobOptions & { readonly command: string; readonly logPid?: boolean }

/**
 * Runs one command within a job's context: log open, failure logged and told. Returns the exit code.
 * A signal that comes when all is done changes nothing any more.
 */
export async function runJob(
  options: Options,
  engine: Engine,
  io: Io,
  body: (ctx: JobContext, interrupts: Interrupts) => Promise<number>,
): Promise<number> {
  const log = openJobLog(options)
  const interrupts = await engine.interrupts()
  try {
    return await withJob(options, engine, log, interrupts, (ctx) => body(ctx, interrupts))
  } catch (error) {
    const { logFile: path } = options
    if (path !== undefined && path !== '-') io.err(`criu: ${sentence(error)}\nThe log: ${path}\n`)
    if (error instanceof CriuError && error.detail.code === 'aborted') interrupts.die()
    interrupts[Symbol.dispose]()
    return EXIT_FAILURE
  }
}

export const openJobLog = ({ verbosity, logFile: path, logPid = false }: Options): JobLog =>
  openLog({ verbosity, path, perTask: logPid })

/** For whom a job is done, if not for a command line: it is told of hooks behind the scripts. */
export interface Customer {
  readonly client: RpcClient
  /** `abort`: asked while the answer to a hook is awaited. */
  hooks(log: JobLog, abort: Abort): ScriptRunner
  /** Throws if nobody waits for the job any more. */
  check(): void
}

/** The context of a job, and its log to the end: a failure is logged and thrown on. */
export async function withJob<T>(
  options: Options,
  engine: Engine,
  log: JobLog,
  interrupts: Interrupts,
  body: (ctx: JobContext) => Promise<T>,
  customer?: Customer,
): Promise<T> {
  const { actionScripts: scripts, imagesDir } = options
  const progress = customer ? noProgress : terminalProgress(options.command, log)
  const abort: Abort = customer ? bothAborts(interrupts, customer) : interrupts
  try {
    const programs = await engine.programs()
    const runProgram = interrupts.whileWanted(programs.runProgram)
    log.info(`${options.command} begins, ${versionText.trim()}`)
    for (const name of options.idle) log.info(`${name} has no effect on ${options.command}`)
    const runner = createScriptRunner({ scripts, imagesDir, log, runProgram })
    return await withPlugins(options, log, async (plugins) => {
      const ctx = {
        log,
        scripts: runner,
        stats: new Stats(),
        progress: abortable(progress, abort),
        abort,
        ...(plugins && { plugins }),
      }
      if (customer === undefined) return await body(ctx)
      const { client } = customer
      return await body({
        ...ctx,
        client,
        scripts: bothRunners(runner, customer.hooks(log, abort)),
      })
    })
  } catch (failure) {
    const error = interrupts.reasonOf(failure)
    progress.end()
    log.failure(error)
    throw error
  } finally {
    progress.end()
    log.close()
  }
}

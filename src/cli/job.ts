import { EXIT_FAILURE } from '../errors/exit.ts'
import { sentence } from '../errors/sentence.ts'
import type { JobContext, RpcClient } from '../job/context.ts'
import type { JobOptions } from '../job/options.ts'
import { noProgress } from '../job/progress.ts'
import { Stats } from '../job/stats.ts'
import { type JobLog, openLog } from '../log/file-log.ts'
import { bothRunners, createScriptRunner, type ScriptRunner } from '../scripts/runner.ts'
import type { Engine } from './engine.ts'
import type { Io } from './io.ts'
import { withPlugins } from './plugins.ts'
import { terminalProgress } from './progress.ts'
import { versionText } from './version.ts'

type Options = JobOptions & { readonly command: string; readonly logPid?: boolean }

/**
 * Runs one command within a job's context: log open, failure logged and told. Returns the exit code.
 */
export async function runJob(
  options: Options,
  engine: Engine,
  io: Io,
  body: (ctx: JobContext) => Promise<number>,
): Promise<number> {
  const log = openJobLog(options)
  try {
    return await withJob(options, engine, log, body)
  } catch (error) {
    const { logFile: path } = options
    if (path !== undefined && path !== '-') io.err(`criu: ${sentence(error)}\nThe log: ${path}\n`)
    return EXIT_FAILURE
  }
}

export const openJobLog = ({ verbosity, logFile: path, logPid = false }: Options): JobLog =>
  openLog({ verbosity, path, perTask: logPid })

/** For whom a job is done, if not for a command line: it is told of hooks behind the scripts. */
export interface Customer {
  readonly client: RpcClient
  hooks(log: JobLog): ScriptRunner
}

/** The context of a job, and its log to the end: a failure is logged and thrown on. */
export async function withJob<T>(
  options: Options,
  engine: Engine,
  log: JobLog,
  body: (ctx: JobContext) => Promise<T>,
  customer?: Customer,
): Promise<T> {
  const { actionScripts: scripts, imagesDir } = options
  const progress = customer ? noProgress : terminalProgress(options.command, log)
  try {
    const { runProgram } = await engine.programs()
    log.info(`${options.command} begins, ${versionText.trim()}`)
    for (const name of options.idle) log.info(`${name} has no effect on ${options.command}`)
    const runner = createScriptRunner({ scripts, imagesDir, log, runProgram })
    return await withPlugins(options, log, async (plugins) => {
      const ctx = {
        log,
        scripts: runner,
        stats: new Stats(),
        progress,
        ...(plugins && { plugins }),
      }
      if (customer === undefined) return await body(ctx)
      const { client } = customer
      return await body({ ...ctx, client, scripts: bothRunners(runner, customer.hooks(log)) })
    })
  } catch (error) {
    progress.end()
    log.failure(error)
    throw error
  } finally {
    progress.end()
    log.close()
  }
}

import { EXIT_FAILURE } from '../errors/exit.ts'
import { sentence } from '../errors/sentence.ts'
import type { JobContext } from '../job/context.ts'
import type { JobOptions } from '../job/options.ts'
import { Stats } from '../job/stats.ts'
import { openLog } from '../log/file-log.ts'
import { createScriptRunner } from '../scripts/runner.ts'
import type { Engine } from './engine.ts'
import type { Io } from './io.ts'
import { terminalProgress } from './progress.ts'
import { versionText } from './version.ts'

/**
 * Runs one command within a job's context: log open, failure logged and told. Returns the exit code.
 */
export async function runJob(
  options: JobOptions & { readonly command: string; readonly logPid?: boolean },
  engine: Engine,
  io: Io,
  body: (ctx: JobContext) => Promise<number>,
): Promise<number> {
  const { verbosity, logFile: path, logPid = false, actionScripts: scripts, imagesDir } = options
  const log = openLog({ verbosity, path, perTask: logPid })
  const progress = terminalProgress(options.command, log)
  try {
    const { runProgram } = await engine.programs()
    log.info(`${options.command} begins, ${versionText.trim()}`)
    for (const name of options.idle) log.info(`${name} has no effect on ${options.command}`)
    const runner = createScriptRunner({ scripts, imagesDir, log, runProgram })
    return await body({ log, scripts: runner, stats: new Stats(), progress })
  } catch (error) {
    progress.end()
    log.failure(error)
    if (path !== undefined && path !== '-') io.err(`criu: ${sentence(error)}\nThe log: ${path}\n`)
    return EXIT_FAILURE
  } finally {
    progress.end()
    log.close()
  }
}

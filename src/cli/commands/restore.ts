import { EXIT_OK } from '../../errors/exit.ts'
import { restoreStatsText } from '../../job/stats-text.ts'
import { normalise } from '../../options/normalise.ts'
import type { RawOption } from '../../options/raw.ts'
import { becomeCommand, findProgram } from '../become.ts'
import type { Engine } from '../engine.ts'
import type { Io } from '../io.ts'
import { runJob } from '../job.ts'

/** Without `-d` the exit code is 0 once the root has ended, whatever its own was (as upstream). */
export async function restoreCommand(raw: readonly RawOption[], engine: Engine, io: Io) {
  const options = normalise('restore', raw)
  const next = options.execCommand && findProgram(options.execCommand)
  return runJob(options, engine, io, async (ctx, interrupts) => {
    const { restore, plan, waitForRoot } = await engine.restore()
    if (options.dryRun) {
      io.out(await plan(options, ctx))
      return EXIT_OK
    }
    const { root } = await restore(options, ctx)
    ctx.progress.end()
    if (options.displayStats) io.out(restoreStatsText(ctx.stats))
    ctx.log.flush()
    if (next === undefined && options.detached) return EXIT_OK
    interrupts.die()
    if (next !== undefined) becomeCommand(next, await engine.programs(), ctx.log)
    waitForRoot(root)
    return EXIT_OK
  })
}

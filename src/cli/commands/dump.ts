import { EXIT_OK } from '../../errors/exit.ts'
import { dumpStatsText } from '../../job/stats-text.ts'
import { normalise } from '../../options/normalise.ts'
import type { RawOption } from '../../options/raw.ts'
import type { Engine } from '../engine.ts'
import type { Io } from '../io.ts'
import { runJob } from '../job.ts'

export async function dumpCommand(raw: readonly RawOption[], engine: Engine, io: Io) {
  const options = normalise('dump', raw)
  return runJob(options, engine, io, async (ctx) => {
    const { dump } = await engine.dump()
    await dump(options, ctx)
    ctx.progress.end()
    if (options.displayStats) io.out(dumpStatsText(ctx.stats))
    return EXIT_OK
  })
}

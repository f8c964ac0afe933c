import { EXIT_FAILURE, EXIT_OK } from '../../errors/exit.ts'
import { noProgress } from '../../job/progress.ts'
import { Stats } from '../../job/stats.ts'
import { openLog } from '../../log/file-log.ts'
import { normalise } from '../../options/normalise.ts'
import type { RawOption } from '../../options/raw.ts'
import { noScripts } from '../../scripts/runner.ts'
import type { Io } from '../io.ts'
import { withPlugins } from '../plugins.ts'

/** The exit code tells whether a dump with these options would work. */
export async function explainCommand(raw: readonly RawOption[], io: Io): Promise<number> {
  const options = normalise('explain', raw)
  const { explain } = await import('../../dump/explain.ts')
  const log = openLog({ verbosity: options.verbosity, path: options.logFile })
  const ctx = { log, scripts: noScripts, stats: new Stats(), progress: noProgress }
  const again = (more: readonly string[]) => normalise('explain', [...raw, ...more.map(optionOf)])
  try {
    const found = await withPlugins({ ...options, command: 'dump' }, log, async (plugins) =>
      explain(options, plugins ? { ...ctx, plugins } : ctx, again),
    )
    if (options.json) io.out(`${JSON.stringify(found, undefined, 2)}\n`)
    else io.out((await import('../explain-text.ts')).explanationText(options.tree, found))
    return found.possible ? EXIT_OK : EXIT_FAILURE
  } catch (error) {
    log.failure(error)
    if (options.logFile !== undefined && options.logFile !== '-') {
      const { sentence } = await import('../../errors/sentence.ts')
      io.err(`criu: ${sentence(error)}\nThe log: ${options.logFile}\n`)
    }
    return EXIT_FAILURE
  } finally {
    log.close()
  }
}

/** `--NAME` or `--NAME VALUE`, as an obstacle names what helps. */
export function optionOf(text: string): RawOption {
  const [spelled, ...rest] = text.split(' ')
  return {
    name: spelled!.slice(2),
    value: rest.length > 0 ? rest.join(' ') : true,
    spelled: spelled!,
  }
}

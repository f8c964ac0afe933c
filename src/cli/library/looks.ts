import type { CheckResult, Explanation } from '../../api/results.ts'
import type { Snapshot as Images } from '../../inspect/index.ts'
import { noProgress } from '../../job/progress.ts'
import { Stats } from '../../job/stats.ts'
import { type JobLog, openLog } from '../../log/file-log.ts'
import { resolve } from '../../options/absolute.ts'
import { normalise } from '../../options/normalise.ts'
import type { RawOption } from '../../options/raw.ts'
import { noScripts } from '../../scripts/runner.ts'
import { optionOf } from '../commands/explain.ts'
import { withPlugins } from '../plugins.ts'
import type { Channel } from './channel.ts'

/** Calls of the library that change nothing: what the commands of these names tell, as plain objects. */

export async function checkJob(raw: readonly RawOption[]): Promise<CheckResult> {
  const options = normalise('check', raw)
  const { featuresNamed, tryFeatures, wanted } = await import('../../check/check.ts')
  const { verdictOf } = await import('../../check/report.ts')
  const named = featuresNamed(options.features)
  const findings = withLog(options, (log) =>
    tryFeatures(named.length > 0 ? named : wanted(options), log),
  )
  const features = findings.map(({ feature, missing, remedy }) => ({
    name: feature.name,
    need: feature.need,
    what: feature.what,
    cost: feature.cost,
    ...(missing !== undefined && { missing }),
    ...(missing !== undefined && remedy !== undefined && { remedy }),
  }))
  return { verdict: verdictOf(findings), features }
}

export async function explainJob(
  raw: readonly RawOption[],
  channel: Channel,
): Promise<Explanation> {
  const options = normalise('explain', raw)
  const { explain } = await import('../../dump/explain.ts')
  const again = (more: readonly string[]) => normalise('explain', [...raw, ...more.map(optionOf)])
  return withLog(options, (log) =>
    withPlugins({ ...options, command: 'dump' }, log, async (plugins) => {
      const ctx = { log, scripts: noScripts, stats: new Stats(), progress: noProgress }
      return explain(options, { ...ctx, abort: channel, ...(plugins && { plugins }) }, again)
    }),
  )
}

export async function readImagesJob(raw: readonly RawOption[]): Promise<Images> {
  const given = raw.findLast(({ name }) => name === 'images-dir')?.value
  const directory = resolve(process.cwd(), typeof given === 'string' ? given : '.')
  return (await import('../../inspect/index.ts')).readImages(directory)
}

/** A log that is closed in the end, also of what is awaited. */
function withLog<T>(
  {
    verbosity,
    logFile: path,
  }: { readonly verbosity: number; readonly logFile: string | undefined },
  body: (log: JobLog) => T,
): T {
  const log = openLog({ verbosity, path })
  const close = (): void => log.close()
  try {
    const result = body(log)
    if (!(result instanceof Promise)) {
      close()
      return result
    }
    return result.finally(close) as T
  } catch (error) {
    close()
    throw error
  }
}

import { EXIT_FAILURE, EXIT_OK } from '../../errors/exit.ts'
import { openLog } from '../../log/file-log.ts'
import { normalise } from '../../options/normalise.ts'
import type { RawOption } from '../../options/raw.ts'
import type { Io } from '../io.ts'

/** The verdict goes to standard output, what is missing to standard error and, if there is one, the log. */
export async function checkCommand(raw: readonly RawOption[], io: Io): Promise<number> {
  const options = normalise('check', raw)
  const { featuresNamed, featureNames, tryFeatures, wanted } = await import('../../check/check.ts')
  if (options.features.includes('list')) {
    io.out(`${featureNames().join(' ')}\n`)
    return EXIT_OK
  }
  const named = featuresNamed(options.features)
  const { VERDICT, reportText, verdictOf } = await import('../../check/report.ts')
  const log = openLog({ verbosity: options.verbosity, path: options.logFile })
  try {
    const findings = tryFeatures(named.length > 0 ? named : wanted(options), log)
    const report = reportText(findings)
    io.err(report)
    if (options.logFile !== undefined) log.warn(report)
    const verdict = verdictOf(findings)
    // Of features that were asked for by name each must be there.
    io.out(`${named.length > 0 && verdict !== 'good' ? VERDICT.bad : VERDICT[verdict]}\n`)
    return verdict === 'good' ? EXIT_OK : EXIT_FAILURE
  } finally {
    log.close()
  }
}

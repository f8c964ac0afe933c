import { EXIT_FAILURE, EXIT_OK } from '../../errors/exit.ts'
import { sentence } from '../../errors/sentence.ts'
import type { CpuinfoOptions } from '../../job/options.ts'
import { openLog } from '../../log/file-log.ts'
import { normalise } from '../../options/normalise.ts'
import type { RawOption } from '../../options/raw.ts'
import type { Io } from '../io.ts'

export async function cpuinfoCommand(
  words: readonly string[],
  raw: readonly RawOption[],
  io: Io,
): Promise<number> {
  const options = normalise('cpuinfo', raw, { words })
  const log = openLog({ verbosity: options.verbosity, path: options.logFile })
  try {
    await runCpuinfo(options)
    return EXIT_OK
  } catch (error) {
    log.failure(error)
    if (options.logFile !== undefined && options.logFile !== '-')
      io.err(`criu: ${sentence(error)}\nThe log: ${options.logFile}\n`)
    return EXIT_FAILURE
  } finally {
    log.close()
  }
}

/** For the RPC as well. Throws `conflict` where this CPU lacks what the image needs. */
export async function runCpuinfo({ action, imagesDir, cpuCap }: CpuinfoOptions): Promise<void> {
  if (action === 'dump') (await import('../../dump/cpuinfo.ts')).dumpCpuInfo(imagesDir)
  else (await import('../../restore/check-cpu.ts')).checkCpuIn(imagesDir, cpuCap)
}

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
  try {
    await cpuinfoJob(options)
    return EXIT_OK
  } catch (error) {
    if (options.logFile !== undefined && options.logFile !== '-')
      io.err(`criu: ${sentence(error)}\nThe log: ${options.logFile}\n`)
    return EXIT_FAILURE
  }
}

/** For the RPC as well. Throws `conflict` where this CPU lacks what the image needs. */
export async function cpuinfoJob(options: CpuinfoOptions): Promise<void> {
  const { action, imagesDir, cpuCap, verbosity, logFile: path } = options
  const log = openLog({ verbosity, path })
  try {
    if (action === 'dump') (await import('../../dump/cpuinfo.ts')).dumpCpuInfo(imagesDir)
    else (await import('../../restore/check-cpu.ts')).checkCpuIn(imagesDir, cpuCap)
  } catch (error) {
    log.failure(error)
    throw error
  } finally {
    log.close()
  }
}

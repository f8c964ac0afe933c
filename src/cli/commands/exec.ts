import { CriuError, fail } from '../../errors/error.ts'
import { EXIT_FAILURE, EXIT_OK } from '../../errors/exit.ts'
import { sentence } from '../../errors/sentence.ts'
import { openLog } from '../../log/file-log.ts'
import { normalise } from '../../options/normalise.ts'
import type { RawOption } from '../../options/raw.ts'
import { suggest } from '../../options/suggest.ts'
import type { Io } from '../io.ts'

/** Prints what the call returned, or the error's name as strace does; the exit code tells them apart. */
export async function execCommand(
  words: readonly string[],
  raw: readonly RawOption[],
  io: Io,
): Promise<number> {
  const options = normalise('exec', raw, { words })
  const { callNames, isCall } = await import('../../exec/calls.ts')
  if (!isCall(options.call)) {
    const nearest = suggest(options.call, callNames)
    fail({
      code: 'option',
      option: options.call,
      reason: 'is no system call of this kernel',
      remedy: nearest === undefined ? 'see man 2 syscalls' : `did you mean ${nearest}?`,
    })
  }
  const { execCall } = await import('../../exec/exec.ts')
  const { formatResult } = await import('../../kernel/strace.ts')
  const log = openLog({ verbosity: options.verbosity, path: options.logFile })
  try {
    const result = execCall(options, log)
    const failed = result < 0n && result >= -4095n
    io.out(`${failed ? formatResult(result) : result}\n`)
    return failed ? EXIT_FAILURE : EXIT_OK
  } catch (error) {
    // What is wrong with the command line is told on it, the rest in the log.
    if (error instanceof CriuError && error.detail.code === 'option') throw error
    log.failure(error)
    if (options.logFile !== undefined && options.logFile !== '-')
      io.err(`criu: ${sentence(error)}\nThe log: ${options.logFile}\n`)
    return EXIT_FAILURE
  } finally {
    log.close()
  }
}

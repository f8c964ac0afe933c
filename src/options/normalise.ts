import type { CommandOptions, OptionsOf } from '../job/options.ts'
import { refuseCombinations } from './combinations.ts'
import { type FileProbe, realFiles } from './file-probe.ts'
import { Given } from './given.ts'
import { dumpOptions, restoreOptions } from './make-jobs.ts'
import {
  checkOptions,
  cpuinfoOptions,
  execOptions,
  explainOptions,
  serviceOptions,
} from './make-tools.ts'
import { diffOptions, showOptions } from './make-views.ts'
import type { RawOption } from './raw.ts'

/**
 * Raw options of any source, earlier ones first, to the one frozen value that the engine takes.
 * A later option replaces an earlier one of its name, unless it is a list. Throws `option`.
 */
export function normalise<C extends CommandOptions>(
  command: C,
  raw: readonly RawOption[],
  { words = [], files = realFiles }: Surroundings = {},
): OptionsOf[C] {
  const given = new Given(command, raw, words)
  const options = makers[command](given, files)
  refuseCombinations(options, given.has, files)
  Object.freeze(options)
  return options
}

/** What a command line has besides its options, and where they hold. */
export interface Surroundings {
  /** The words behind the command, where it takes some. */
  readonly words?: readonly string[]
  readonly files?: FileProbe
}

const makers: {
  readonly [C in CommandOptions]: (given: Given, files: FileProbe) => OptionsOf[C]
} = {
  dump: dumpOptions,
  restore: restoreOptions,
  check: checkOptions,
  exec: execOptions,
  cpuinfo: cpuinfoOptions,
  service: serviceOptions,
  explain: explainOptions,
  show: showOptions,
  diff: diffOptions,
}

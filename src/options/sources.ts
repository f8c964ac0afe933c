import { existsSync } from '../kernel/fs.ts'
import type { RawOption } from './raw.ts'

/** Where the system's and the user's own defaults are. */
const SYSTEM_FILE = '/etc/criu/default.conf'
const USER_FILE = '.criu/default.conf'

/** Of it, HOME and CRIU_CONFIG_FILE are read. */
type Environment = Readonly<Record<string, string | undefined>>

/**
 * The options of all sources in the order in which later ones win, as upstream has it: the system's
 * file, the user's, CRIU_CONFIG_FILE, `--config`, and what was given on the command line. Nothing is
 * read from the current directory that nobody named.
 */
export async function allOptions(
  given: readonly RawOption[],
  env: Environment = process.env,
): Promise<readonly RawOption[]> {
  const files = configFiles(given, env)
  if (files.length === 0) return given
  // The parser is loaded for those who have a file.
  const { configOptions } = await import('./config.ts')
  return [...files.flatMap((file) => configOptions(file)), ...given]
}

/** The files to read: default ones if they are there, named ones in any case. */
export function configFiles(
  given: readonly RawOption[],
  { HOME, CRIU_CONFIG_FILE }: Environment,
): string[] {
  const skipped = given.some(({ name }) => name === 'no-default-config')
  const user = HOME?.startsWith('/') ? [`${HOME}/${USER_FILE}`] : []
  const defaults = skipped ? [] : [SYSTEM_FILE, ...user].filter(existsSync)
  const named = [CRIU_CONFIG_FILE, given.findLast(({ name }) => name === 'config')?.value]
  return [
    ...defaults,
    ...named.filter((path) => typeof path === 'string' && path !== ''),
  ] as string[]
}

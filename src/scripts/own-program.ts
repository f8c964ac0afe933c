import { cleanEnvironment, type Environment } from './program.ts'

/** This very program, to be started once more. */
export interface OwnProgram {
  readonly argv: readonly string[]
  readonly env: Environment
}

/** The kernel's name for it, which needs no permission on the way there. */
const ITSELF = '/proc/self/exe'

/** Where a compiled program has its script. */
const COMPILED = '/$bunfs/'

/** With these words behind it, compiled or from the sources. */
export function ownProgram(words: readonly string[], more: Environment = {}): OwnProgram {
  const [, script = ''] = process.argv
  if (script.startsWith(COMPILED))
    return { argv: [ITSELF, ...words], env: { ...cleanEnvironment(), ...more } }
  return {
    argv: [ITSELF, ...process.execArgv, script, ...words],
    env: { ...cleanEnvironment(), ...more, BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0' },
  }
}

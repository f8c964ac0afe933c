import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The program that does the work: CRIU_PROGRAM if it is set, else the one compiled in this checkout or
 * package, else `bin/criu`, which runs on the Bun that npm brings along with this package.
 */
export function findProgram(env = process.env): string {
  if (env.CRIU_PROGRAM) return env.CRIU_PROGRAM
  const compiled = inPackage('dist/criu')
  return existsSync(compiled) ? compiled : inPackage('bin/criu')
}

/** We are src/api, or dist/lib/api of the published package. */
function inPackage(path: string): string {
  const up = import.meta.url.includes('/dist/lib/') ? '../../../' : '../../'
  return fileURLToPath(new URL(`${up}${path}`, import.meta.url))
}

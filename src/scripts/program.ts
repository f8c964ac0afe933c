export type { Environment, ExitStatus, RunProgram } from '../kernel/program.ts'

/**
 * Our environment for a program that we start: without what would make a Bun executable run other
 * code than its own (BUN_OPTIONS, BUN_BE_BUN and the like).
 */
export function cleanEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^BUN(_|$)/.test(entry[0]),
  )
  return Object.fromEntries(kept)
}

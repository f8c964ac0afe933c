/** How a program that we started ended. */
export type ExitStatus =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: number }
  /** It could not be started; `errno` is positive. */
  | { readonly kind: 'not-started'; readonly errno: number }

export type Environment = Readonly<Record<string, string>>

/**
 * Starts a program, waits for it, tells how it ended. Synchronous, and never by the runtime's own
 * child_process: that waits for children behind our back and eats the stops of tracees. `argv[0]`
 * is an absolute path, the environment is `env` alone, descriptors 0 to 2 are ours.
 */
export type RunProgram = (argv: readonly string[], env: Environment) => ExitStatus

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

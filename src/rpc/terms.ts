import type { Terms } from './serve.ts'

/**
 * How the service tells the process that it starts for a client what this one may ask for. Only we set
 * it; a caller of `criu swrk` who does so gets less.
 */
export const TERMS_VARIABLE = 'CRIU_SERVED_CAPABILITIES'

/** Takes the terms out of the environment: scripts are not to see them. */
export function takeTerms(env: NodeJS.ProcessEnv = process.env): Terms {
  const value = env[TERMS_VARIABLE]
  delete env[TERMS_VARIABLE]
  if (value === undefined) return { isServed: false }
  return value === ANY ? { isServed: true } : { isServed: true, capabilities: BigInt(value) }
}

/** Of a client that may do all that we may. */
export const ANY = 'any'

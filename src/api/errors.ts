import { CriuError } from '../errors/error.ts'
import type { WireError } from './wire.ts'

/**
 * An error of the engine's, made again here: the same `detail`, message and chain of causes. `reason`: the
 * caller's own, which is the cause then.
 */
export function decodeError(error: WireError, reason?: unknown): Error {
  const cause = reason ?? (error.cause && decodeError(error.cause))
  const options = cause === undefined ? undefined : { cause }
  const made = error.detail
    ? new CriuError(error.detail, options)
    : Object.assign(new Error(error.message, options), { name: error.name })
  made.message = error.message
  if (error.stack !== undefined) made.stack = `${made.name}: ${made.message}${frames(error.stack)}`
  return made
}

/** The places of a stack, where they begin. */
const frames = (stack: string): string => /(\n\s+at [\s\S]*)?$/.exec(stack)![0]

/** The engine was not there, or ended without an answer. */
export function engineError(reason: string, cause?: unknown): CriuError {
  const made = new CriuError(
    { code: 'engine', reason },
    cause === undefined ? undefined : { cause },
  )
  made.message = `the engine ${reason}`
  return made
}

export function abortedError(reason: unknown): CriuError {
  const made = new CriuError({ code: 'aborted' }, { cause: reason })
  made.message = 'the job was ended by its caller'
  return made
}

import type { WireError } from '../../api/wire.ts'
import { CriuError } from '../../errors/error.ts'
import { sentence } from '../../errors/sentence.ts'

/** An error as JSON: what the caller needs to make it again, with all that led to it. */
export function encodeError(error: unknown): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  return {
    name: error.name,
    message: error instanceof CriuError ? sentence(error) : error.message,
    ...(error instanceof CriuError && { detail: error.detail }),
    ...(error.stack !== undefined && { stack: error.stack }),
    ...(error.cause !== undefined && { cause: encodeError(error.cause) }),
  }
}

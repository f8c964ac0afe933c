import type { ErrorDetail } from '../errors/error.ts'

/**
 * What the library and the engine that it starts tell each other: lines of JSON on the engine's standard
 * input and output. One request; then any number of reports; then one end. The engine's input stays
 * open as long as somebody waits for the job: its end is the order to abort.
 */

export type JobName = 'dump' | 'restore' | 'check' | 'explain' | 'readImages'

export interface Request {
  readonly command: JobName
  /** As the caller gave them, names in camel case. */
  readonly options: Readonly<Record<string, unknown>>
}

export type Answer =
  | ({ readonly kind: 'progress' } & Progress)
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly error: WireError }

/** Where a job is. */
export interface Progress {
  /** Name of the stage, as the log has it: `seize`, `pages`, `create`. */
  readonly stage: string
  /** Bytes of memory that were written or read. */
  readonly bytes: number
  /** What is known of them so far; never less than `bytes`. */
  readonly total: number
}

/** An error with the chain of those that led to it. */
export interface WireError {
  readonly name: string
  /** What a person reads. */
  readonly message: string
  /** Set for an error of criu's. */
  readonly detail?: ErrorDetail
  /** In the engine. */
  readonly stack?: string
  readonly cause?: WireError
}

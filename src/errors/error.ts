/**
 * Every failure of criu-ts is a {@link CriuError} around one of these values. The sentence that a
 * person reads is made from it in sentence.ts, and nowhere else.
 */
export type ErrorDetail =
  /**
   * An option has a value it cannot have, or does not fit the command or another option. `option` as
   * the caller wrote it; `reason` is a predicate of it: «must be a pid», «is not supported yet».
   */
  | { code: 'option'; option: string; reason: string; remedy?: string }
  /** An image is damaged, missing or contradicts another; `entry` counts from 0. */
  | { code: 'image'; file: string; entry?: number; reason: string; remedy?: string }
  /** A system call failed where it should not; `errno` is positive. */
  | {
      code: 'syscall'
      operation: string
      errno: number
      pid?: number
      path?: string
      kind?: string
      remedy?: string
    }
  /**
   * The tree (or its images, on a restore) holds what cannot be dumped (restored) faithfully: all of it
   * at once, and nothing has been touched.
   */
  | {
      code: 'obstacles'
      obstacles: readonly Obstacle[]
      restoring?: boolean
      /** What a dump would be like without them, if that could be told. */
      outlook?: Outlook
    }
  /** The process (or one of its tree) is gone, or was never there. */
  | { code: 'vanished'; pid: number; reason: string; remedy?: string }
  /** A pid, path, descriptor or CPU feature that a restore needs is taken or absent. */
  | { code: 'conflict'; reason: string; pid?: number; path?: string; remedy?: string }
  /** A task did what no stage expected: an unknown stop, a death, a mismatch of its state. */
  | { code: 'tracee'; pid: number; expected: string; found: string; registers?: string }
  /** A job ran out of its time. */
  | { code: 'timeout'; operation: string; seconds: number; remedy?: string }
  /** Whoever asked for the job has ended it: Ctrl-C, SIGTERM, an AbortSignal, a caller that is gone. */
  | { code: 'aborted'; signal?: string }
  /** The library's engine, the process that does its jobs; `reason` is a predicate of it. */
  | { code: 'engine'; reason: string }
  /** A plugin threw, or returned what a hook cannot use. */
  | { code: 'plugin'; plugin: string; hook: string; reason: string; remedy?: string }
  /** An action script ended otherwise than with 0. */
  | { code: 'script'; script: string; hook: string; reason: string }
  /** The client of the RPC; `reason` is a predicate of it: «hung up». */
  | { code: 'client'; reason: string }
  /** A state that our own code should have made impossible. */
  | { code: 'internal'; reason: string }

/** One thing that stands in the way of a dump, with what the user can do about it. */
export interface Obstacle {
  /** Pid as the user sees it (in our pid namespace). */
  readonly pid: number
  readonly comm: string
  /** `fd 5`, `memory 7f00…-7f00…`, `task`: where in the process. */
  readonly where: string
  /** What it is: `socket (AF_VSOCK)`. */
  readonly what: string
  readonly remedy?: string
  /** The option of the dump that helps, if one does, as on a command line: `--ghost-limit 3000000`. */
  readonly option?: string
}

/** What a dump of a tree would be like, as far as can be seen from outside. */
export interface Outlook {
  readonly processes: number
  readonly threads: number
  /** About so many bytes of images. */
  readonly bytes: number
  /** The tree would stand still for about so many milliseconds. */
  readonly millis: number
}

/** The one error class; switch on `detail.code`. */
export class CriuError extends Error {
  override readonly name = 'CriuError'
  readonly detail: ErrorDetail
  constructor(detail: ErrorDetail, options?: { cause?: unknown }) {
    super(detail.code, options)
    this.detail = detail
  }
}

/** Throws a CriuError; an expression, so that it can stand behind `??`. */
export function fail(detail: ErrorDetail, cause?: unknown): never {
  throw new CriuError(detail, cause === undefined ? undefined : { cause })
}

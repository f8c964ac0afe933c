import type { Obstacle, Outlook } from '../errors/error.ts'

/** What a finished dump says. */
export interface DumpResult {
  /** The root of the tree. */
  readonly pid: number
  readonly tasks: number
  readonly threads: number
  /** Pages written to the images. */
  readonly pages: number
  /** How long the tasks stood still, in microseconds. */
  readonly frozenMicros: number
  /** The numbers of `stats-dump`: times in microseconds, counts of pages. */
  readonly stats: Readonly<Record<string, number>>
}

/** What a finished restore says. */
export interface RestoreResult {
  /**
   * The root of the restored tree, in the caller's pid namespace. It is no child of the caller's, but
   * with `restoreSibling`.
   */
  readonly pid: number
  readonly tasks: number
  readonly threads: number
  /** Pages read from the images. */
  readonly pages: number
  /** The numbers of `stats-restore`. */
  readonly stats: Readonly<Record<string, number>>
}

/** What `check` found. */
export interface CheckResult {
  /** `maybe`: something is missing that only some trees need; `bad`: nothing will work. */
  readonly verdict: 'good' | 'maybe' | 'bad'
  readonly features: readonly CheckedFeature[]
}

/** Something of the kernel, or a privilege, that was tried out. */
export interface CheckedFeature {
  /** As `feature` takes it: `clone3_set_tid`. */
  readonly name: string
  readonly need: 'required' | 'extra' | 'experimental' | 'named'
  readonly what: string
  /** What cannot be done without it. */
  readonly cost: string
  /** Why it is missing; undefined: it is there. */
  readonly missing?: string
  readonly remedy?: string
}

/** Whether a dump would work, and what it would cost. */
export interface Explanation {
  /** With the options that were given. */
  readonly possible: boolean
  readonly obstacles: readonly Obstacle[]
  /** Further options of the command line that help against some of them. */
  readonly options: readonly string[]
  /** With these options too. */
  readonly possibleWithOptions: boolean
  /** What is in the way then. */
  readonly remaining: readonly Obstacle[]
  readonly outlook: Outlook
  readonly processes: readonly ExplainedProcess[]
  /** How long the tree stood still to be looked at, each time that it was. */
  readonly lookMicros: readonly number[]
}

/** A process of the tree, in numbers. */
export interface ExplainedProcess {
  readonly pid: number
  readonly comm: string
  readonly threads: number
  readonly descriptors: number
  /** Bytes of its memory that a dump writes. */
  readonly memory: number
}

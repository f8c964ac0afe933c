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

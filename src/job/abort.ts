/**
 * Whoever asked for a job may end it before it is done. It is asked for between steps, where a failure
 * leaves the tree as it was (a dump) or no tree (a restore); progress is such a place as well.
 */
export interface Abort {
  /** Throws `aborted` if the job is no longer wanted; takes a few microseconds. */
  check(): void
}

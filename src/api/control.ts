import type { Progress } from './wire.ts'

/** What any call of the library takes besides the options of its command. */
export interface Control {
  /**
   * Ends the job before it is done: the promise is rejected with `aborted` once all is as it was. A
   * dump leaves the tree running and no images, a restore leaves no process. One that comes too late,
   * when the tree is saved or runs again, changes nothing: the promise is fulfilled.
   */
  readonly signal?: AbortSignal
  /** Told where the job is: at each stage, and now and then while memory is written or read. */
  readonly onProgress?: (progress: Progress) => void
  /** Gets the lines of the log, as many as `verbosity` asks for, where no `logFile` is given. */
  readonly onLog?: (line: string) => void
  /** The program `criu` to use, an absolute path; that of this package by default. */
  readonly program?: string
}

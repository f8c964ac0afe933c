/** Where messages of a job go. Levels are upstream's: what is above the verbosity is not written. */
export interface Log {
  readonly verbosity: number
  /** Level 1. The line holds `Error (`, which runtimes look for. */
  error(text: string): void
  /** Level 2. */
  warn(text: string): void
  /** Level 3. */
  info(text: string): void
  /** Level 4. Takes a function so that nothing is formatted when nobody reads it. */
  debug(text: () => string): void
  close(): void
}

/** Drops everything: for tests and for the library's quiet default. */
export const silentLog: Log = {
  verbosity: 0,
  error() {},
  warn() {},
  info() {},
  debug() {},
  close() {},
}

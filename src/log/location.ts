/** `file:line` for log lines, from stack traces; also in the compiled program, by its source map. */

/** Where the caller of `skip` (a function of the log) stands. Costs some 10 µs: errors only. */
export function callerLocation(skip: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, skip)
  return firstFrame(holder.stack ?? '')
}

/** Where an error was thrown; what only passes a failed call on is not a place. */
export function thrownLocation(error: unknown): string {
  return error instanceof Error ? firstFrame(error.stack ?? '') : 'unknown'
}

function firstFrame(stack: string): string {
  for (const line of stack.split('\n')) {
    const [, file, number] = /([^\s(]+):(\d+):\d+\)?$/.exec(line) ?? []
    if (file !== undefined && !/(^|\/)(errors\/error|kernel\/fs)\.ts$/.test(file)) {
      return `${shortened(file)}:${number}`
    }
  }
  return 'unknown'
}

/** The path below src/, as upstream's lines have theirs below criu/. */
const shortened = (file: string): string =>
  file
    .slice(file.lastIndexOf('/src/') < 0 ? 0 : file.lastIndexOf('/src/') + 5)
    .replace(/^(\.\.\/)*src\//, '')

/** Where a command speaks to a person. */
export interface Io {
  out(text: string): void
  err(text: string): void
}

/** Loaded when there is something to say: it brings the kernel boundary along. */
const writeAll = (fd: number, text: string): void =>
  (require('../log/sink.ts') as typeof import('../log/sink.ts')).writeAll(fd, Buffer.from(text))

/** Standard output and error, written at once: nothing is left behind when the process ends. */
export const standardIo: Io = {
  out: (text) => writeAll(1, text),
  err: (text) => writeAll(2, text),
}

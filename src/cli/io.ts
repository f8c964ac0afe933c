import { writeAll } from '../log/sink.ts'

/** Where a command speaks to a person. */
export interface Io {
  out(text: string): void
  err(text: string): void
}

/** Standard output and error, written at once: nothing is left behind when the process ends. */
export const standardIo: Io = {
  out: (text) => writeAll(1, Buffer.from(text)),
  err: (text) => writeAll(2, Buffer.from(text)),
}

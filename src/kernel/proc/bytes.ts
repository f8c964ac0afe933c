/**
 * File names are bytes, not text. All that this program reads of a path (procfs, readlink,
 * getdents) is kept as a **byte string**: a JavaScript string in which each character from U+0000
 * to U+00FF stands for one byte (latin1). For ASCII nothing changes; any other name survives, and
 * {@link pathBytes} gives back the very bytes to hand to the kernel or to node:fs (which would
 * encode a string as UTF-8). Only what a person reads goes through {@link displayPath}.
 */

/** The bytes of a byte string, to be passed to node:fs or placed in memory for the kernel. */
export const pathBytes = (path: string): Buffer => Buffer.from(path, 'latin1')

/** The byte string of bytes that came from the kernel. */
export const pathFromBytes = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

/** A byte string as text for a person: UTF-8 decoded, damaged sequences as U+FFFD. */
export const displayPath = (path: string): string => pathBytes(path).toString('utf8')

/** The byte string of a path that came as ordinary text (an option, a JSON file). */
export const pathFromText = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

/** The path as UTF-8 text, or undefined when its bytes are no UTF-8 (a protobuf string must be). */
export function pathToText(path: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(pathBytes(path))
  } catch {
    return undefined
  }
}

/** Undoes the octal escapes (`\040`, `\011`, `\012`, `\134`) of mountinfo (fs/seq_file.c). */
export function unescapeOctal(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
}

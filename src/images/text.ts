/**
 * Names in images are bytes without a promised encoding: a path may hold any byte but 0. Here as
 * everywhere in this program they are *byte strings*, one character for each byte (latin1; see
 * kernel/proc/bytes.ts), so that no name is changed by passing through a string.
 */
export function decodeText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** The inverse of {@link decodeText}. A character above U+00FF is no byte string: it is refused. */
export function encodeText(text: string): Uint8Array {
  for (let i = 0; i < text.length; i++)
    if (text.charCodeAt(i) > 0xff)
      throw new RangeError(`not a byte string: ${JSON.stringify(text)}`)
  return Buffer.from(text, 'latin1')
}

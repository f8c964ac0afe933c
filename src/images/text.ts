/**
 * Names in images are bytes without a promised encoding: a path may hold any byte but 0. Valid UTF-8
 * reads as text; every byte that is not becomes a lone surrogate U+DC80 to U+DCFF (as PEP 383 does),
 * and is written back as that byte, so no name is changed by passing through a string.
 */
export function decodeText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.every((byte) => byte < 0x80)) return buffer.toString('latin1')
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at)
    if (length > 0) text += buffer.toString('utf8', at, at + length)
    else text += String.fromCharCode(0xdc00 + bytes[at]!)
    at += Math.max(length, 1)
  }
  return text
}

/** The inverse of {@link decodeText}. */
export function encodeText(text: string): Uint8Array {
  if (!/[\udc80-\udcff]/.test(text)) return Buffer.from(text, 'utf8')
  const parts: Uint8Array[] = []
  for (const char of text) {
    const code = char.codePointAt(0)!
    const escaped = code >= 0xdc80 && code <= 0xdcff
    parts.push(escaped ? Uint8Array.of(code - 0xdc00) : Buffer.from(char, 'utf8'))
  }
  return Buffer.concat(parts)
}

/** Bytes of the valid UTF-8 sequence at `at`; 0 if there is none (RFC 3629: shortest form only). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return 1
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  if (first < 0xc2 || first > 0xf4 || at + length > bytes.length) return 0
  for (let i = 1; i < length; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return 0
  const second = bytes[at + 1]!
  const overlong = (first === 0xe0 && second < 0xa0) || (first === 0xf0 && second < 0x90)
  const outside = (first === 0xed && second > 0x9f) || (first === 0xf4 && second > 0x8f)
  return overlong || outside ? 0 : length
}

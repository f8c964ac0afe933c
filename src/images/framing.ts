import { fail } from '../errors/error.ts'
import { commonMagic, type Image, serviceMagic } from './catalogue.ts'

/**
 * An image is a header of one or two magic words, then entries: a 32-bit length, the message, and in
 * some images bytes outside protobuf. All words are little endian.
 */

/** No image of a real process comes near it; a length above is damage, not data. */
export const largestEntry = 64 * 1024 * 1024

/** Longest header there is, in bytes. */
export const longestHeader = 8

/** The words that the image begins with. */
export function headerWords(image: Image): number[] {
  const { header, magic } = image
  if (header === 'raw' || magic === undefined) return []
  if (header === 'inventory') return [magic]
  return [header === 'service' ? serviceMagic : commonMagic, magic]
}

export function headerBytes(image: Image): Uint8Array {
  return Uint8Array.from(headerWords(image).flatMap(littleEndian))
}

export function littleEndian(word: number): number[] {
  return [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24]
}

export function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  )
}

/**
 * Checks the first bytes of a file (all it has, or the longest header) and returns where entries
 * begin. Images of version 1 have their own magic alone.
 */
export function checkHeader(image: Image, bytes: Uint8Array, file: string): number {
  const words = headerWords(image)
  for (const [index, word] of words.entries()) {
    const at = index * 4
    if (bytes.length < at + 4) {
      const reason = `the header is cut off: ${bytes.length} of ${words.length * 4} bytes`
      return fail({ code: 'image', file, reason })
    }
    const found = wordAt(bytes, at)
    if (found === word) continue
    if (index === 0 && image.header === 'common' && found === image.magic) return 4
    const reason = `wrong magic ${hex(found)}, expected ${hex(word)}`
    return fail({ code: 'image', file, reason })
  }
  return words.length * 4
}

const hex = (word: number): string => `0x${word.toString(16).padStart(8, '0')}`

/**
 * Checks an entry's length and returns it. `left`: bytes of the file from the length's own word on;
 * with less than four there is no such word.
 */
export function checkLength(length: number, left: number, file: string, entry: number): number {
  if (left < 4)
    return fail({ code: 'image', file, entry, reason: `trailing garbage of ${left} bytes` })
  if (length > left - 4) {
    const reason = `the entry is cut off: ${length} bytes announced, ${left - 4} left`
    return fail({ code: 'image', file, entry, reason })
  }
  if (length > largestEntry) {
    const reason = `an entry of ${length} bytes, more than the ${largestEntry} that make sense`
    return fail({ code: 'image', file, entry, reason })
  }
  return length
}

import { decodeText, encodeText } from '../../images/text.ts'
import { pathToText } from '../../kernel/proc/bytes.ts'
import { isObject, type Json } from './values.ts'

/**
 * Names in images are byte strings (images/text.ts). In JSON one that is UTF-8 is text, as people
 * know the name; any other is `{"$bytes": BASE64}`.
 */
export function textToJson(value: string): Json {
  return pathToText(value) ?? { $bytes: Buffer.from(encodeText(value)).toString('base64') }
}

/** The byte string again; undefined: the value is none. */
export function textFromJson(value: Json): string | undefined {
  if (typeof value === 'string') return decodeText(Buffer.from(value, 'utf8'))
  const raw = isObject(value) ? value.$bytes : undefined
  return typeof raw === 'string' ? decodeText(Buffer.from(raw, 'base64')) : undefined
}

/** A byte string for people: UTF-8 where it is that, else `\xff` for the bytes that are not. */
export function readable(value: string): string {
  const text = pathToText(value) ?? value.replace(/[\u0080-\u00ff]/g, escaped)
  return text.replace(/\p{Cc}/gu, escaped)
}

const escaped = (character: string): string =>
  `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`

import { type Json, type JsonObject, pretty } from '../json/values.ts'

/** A result of the library as the text of `--json`. */
export const resultText = (result: unknown): string => `${pretty(toJson(result))}\n`

/** Members that are addresses: hexadecimal strings in JSON, as everywhere else. */
const ADDRESSES = new Set(['start', 'end', 'address'])
/** Of a stage these are times. */
const isTime = (value: object): boolean => 'duration' in value

/** A result as JSON can hold it. */
export function toJson(value: unknown): Json {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return (value ?? null) as Json
  if (Array.isArray(value)) return value.map(toJson)
  const found: Record<string, Json> = {}
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined) continue
    const address = ADDRESSES.has(name) && typeof item === 'number' && !isTime(value)
    found[name] = address ? `0x${item.toString(16)}` : toJson(item)
  }
  return found as JsonObject
}

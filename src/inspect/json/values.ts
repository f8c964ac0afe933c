/** What JSON can hold; `undefined` members are left out. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [name: string]: Json | undefined
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * An integer as JSON: a number where every reader gets the same from it, else its decimal digits as a
 * string (JSON.parse and jq read numbers as doubles).
 */
export function integer(value: bigint | number): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}

const WIDTH = 100

/** Indented by two, but a list of plain values, or a small object, in one line. */
export function pretty(value: Json, indent = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const flat = flatten(value)
  if (flat !== undefined && (flat.length + indent.length <= WIDTH || isPlainList(value)))
    return flat
  const inner = `${indent}  `
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  const parts = Array.isArray(value)
    ? value.map((item: Json) => pretty(item, inner))
    : members(value as JsonObject).map(
        ([name, item]) => `${JSON.stringify(name)}: ${pretty(item, inner)}`,
      )
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`
}

function members(value: JsonObject): [string, Json][] {
  return Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined)
}

const isPlain = (value: Json): boolean => typeof value !== 'object' || value === null

const isPlainList = (value: Json): boolean => Array.isArray(value) && value.every(isPlain)

/** One line, for what has no structure in it; undefined for what has. */
function flatten(value: readonly Json[] | JsonObject): string | undefined {
  if (Array.isArray(value)) {
    if (!value.every(isPlain)) return undefined
    return `[${value.map((item: Json) => JSON.stringify(item)).join(', ')}]`
  }
  const entries = members(value as JsonObject)
  if (entries.length === 0) return '{}'
  if (!entries.every(([, item]) => isPlain(item))) return undefined
  const parts = entries.map(([name, item]) => `${JSON.stringify(name)}: ${JSON.stringify(item)}`)
  return `{ ${parts.join(', ')} }`
}

/** A number of more digits than a double has, outside of strings. */
const LONG_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\b\d{16,}\b/g

/**
 * As JSON.parse, but integers past 2^53 come as strings with all their digits: crit and others write
 * them as numbers. Throws SyntaxError.
 */
export function parseJson(text: string): Json {
  const exact = text.replace(LONG_NUMBER, (word) =>
    word.startsWith('"') || Number.isSafeInteger(Number(word)) ? word : `"${word}"`,
  )
  return JSON.parse(exact) as Json
}

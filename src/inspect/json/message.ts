import { fail } from '../../errors/error.ts'
import type { Place } from '../../images/codec.ts'
import { enums } from '../../images/gen/enums.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { unknownFields } from '../../images/message.ts'
import { enumValueName, type Field, type MessageName, schemaOf } from '../../images/schema.ts'
import { quote, unquote } from './quoted-printable.ts'
import { textFromJson, textToJson } from './text-value.ts'
import { unknownFromJson, unknownToJson } from './unknown-fields.ts'
import { integer, isObject, type Json, type JsonObject } from './values.ts'

/**
 * A message as JSON, with the names and forms of crit: bytes as base64, enums by name. Beyond crit's:
 * integers past 2^53 as strings, names that are not UTF-8 as `{"$bytes"}`, fields that we do not
 * know under `$unknown`.
 */
export function messageToJson<N extends MessageName>(name: N, message: Messages[N]): JsonObject {
  return toObject(name, message as unknown as Values)
}

/** Its field `name` is quoted-printable, no base64. */
const SOCKET = 'unix_sk_entry'

type Values = { readonly [name: string]: unknown; readonly [unknownFields]?: Uint8Array }

function toObject(name: MessageName, message: Values): JsonObject {
  const found: Record<string, Json> = {}
  for (const field of schemaOf(name).fields) {
    const value = message[field.name]
    if (value === undefined) continue
    if (field.rule !== 'repeated') found[field.name] = toValue(field, value)
    else if (Array.isArray(value) && value.length > 0) {
      found[field.name] = value.map((item: unknown) => toValue(field, item))
    }
  }
  if (name === SOCKET && message.name !== undefined) found.name = quote(message.name as Uint8Array)
  const unknown = message[unknownFields]
  if (unknown !== undefined) found.$unknown = unknownToJson(unknown)
  return found
}

function toValue({ type }: Field, value: unknown): Json {
  if (type.kind === 'message') return toObject(type.name, value as Values)
  if (type.kind === 'enum') return enumValueName(type.name, value as number) ?? (value as number)
  if (type.scalar === 'bool') return value as boolean
  if (type.scalar === 'string') return textToJson(value as string)
  if (type.scalar === 'bytes') return Buffer.from(value as Uint8Array).toString('base64')
  return integer(value as bigint | number)
}

/** The message again; CriuError `image` names the field that has no such value. */
export function messageFromJson<N extends MessageName>(
  name: N,
  json: Json,
  place: Place,
): Messages[N] {
  return fromObject(name, json, { ...place, path: name, depth: 0 }) as unknown as Messages[N]
}

type At = Place & { readonly path: string; readonly depth: number }

const broken = ({ path, depth: _, ...place }: At, reason: string): never =>
  fail({ code: 'image', ...place, reason: `${path}: ${reason}` })

/** As in images (codec.ts): they could not be read again. */
const DEEPEST = 100

/** Members that are not fields: payload and the bytes as they were (entries.ts). */
const BESIDES = new Set(['extra', '$wire', '$unknown'])

function fromObject(name: MessageName, json: Json, at: At): Record<string | symbol, unknown> {
  if (!isObject(json)) return broken(at, 'it is no object')
  if (at.depth > DEEPEST) return broken(at, `it is nested deeper than ${DEEPEST}`)
  const schema = schemaOf(name)
  const message: Record<string | symbol, unknown> = {}
  for (const field of schema.fields) {
    const value = json[field.name]
    const here = { ...at, path: `${at.path}.${field.name}` }
    if (name === SOCKET && field.name === 'name' && value !== undefined) continue
    if (field.rule === 'repeated') message[field.name] = fromList(field, value, here)
    else if (value !== undefined) message[field.name] = fromValue(field, value, here)
    else if (field.rule === 'required') broken(here, 'it is required, and missing')
  }
  if (name === SOCKET) message.name = unquote(String(json.name)) ?? broken(at, 'name is damaged')
  const known = new Set(schema.fields.map((field) => field.name))
  const stranger = Object.keys(json).find((key) => !known.has(key) && !BESIDES.has(key))
  if (stranger !== undefined) broken(at, `it has no field ${JSON.stringify(stranger)}`)
  if (json.$unknown !== undefined) {
    message[unknownFields] = unknownFromJson(json.$unknown) ?? broken(at, '$unknown is damaged')
  }
  return message
}

function fromList(field: Field, value: Json | undefined, at: At): unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) return broken(at, 'it is no list')
  return value.map((item: Json, i) => fromValue(field, item, { ...at, path: `${at.path}[${i}]` }))
}

function fromValue({ type }: Field, value: Json, at: At): unknown {
  if (type.kind === 'message') return fromObject(type.name, value, { ...at, depth: at.depth + 1 })
  if (type.kind === 'enum') {
    const values: Readonly<Record<string, number>> = enums[type.name]
    const named =
      typeof value === 'string' && Object.hasOwn(values, value) ? values[value] : undefined
    return named ?? Number(BigInt.asIntN(32, toInteger(value, at)))
  }
  switch (type.scalar) {
    case 'bool':
      return typeof value === 'boolean' ? value : broken(at, `${shown(value)} is no bool`)
    case 'string':
      return textFromJson(value) ?? broken(at, `${shown(value)} is no text`)
    case 'bytes':
      return fromBase64(value) ?? broken(at, `${shown(value)} is no base64`)
    default: {
      const number = toInteger(value, at)
      return type.scalar.endsWith('64') ? number : Number(number)
    }
  }
}

/** Digits, also those of crit's --pretty (0x…). */
function toInteger(value: Json, at: At): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (typeof value === 'string' && /^(-?\d+|0x[0-9a-f]+)$/i.test(value)) return BigInt(value)
  return broken(at, `${shown(value)} is no whole number`)
}

/** Undefined: no base64. Line breaks, as crit writes them, are none of its letters. */
export function fromBase64(value: Json | undefined): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined
  const damaged = value.length < LONG && !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value)
  return damaged ? undefined : Buffer.from(value, 'base64')
}

/** What is longer is not looked at first: its length must fit the entry in any case. */
const LONG = 1 << 20

const shown = (value: Json): string => {
  const text = JSON.stringify(value)
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}

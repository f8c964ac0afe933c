import { enums } from './gen/enums.ts'
import type { Messages } from './gen/messages.ts'
import { tables } from './gen/tables.ts'
import { wireType } from './wire.ts'

export type MessageName = keyof Messages & keyof typeof tables
export type EnumName = keyof typeof enums

/** Scalar types of the image formats; proto2 has more, upstream uses no others. */
export type Scalar =
  | 'int32'
  | 'uint32'
  | 'sint32'
  | 'fixed32'
  | 'int64'
  | 'uint64'
  | 'sint64'
  | 'fixed64'
  | 'bool'
  | 'string'
  | 'bytes'

export type FieldType = (
  | { readonly kind: 'scalar'; readonly scalar: Scalar }
  | { readonly kind: 'enum'; readonly name: EnumName }
  | { readonly kind: 'message'; readonly name: MessageName }
) & {
  /** Wire type of one value. */
  readonly wire: number
  /** What is written as the varint 0. */
  readonly zero?: number | bigint | false | undefined
}

export interface Field {
  readonly number: number
  readonly name: string
  readonly rule: 'required' | 'optional' | 'repeated'
  readonly type: FieldType
  /** What stands before each value: number and wire type. */
  readonly tag: number
  /** What absence means, where the definition says so. */
  readonly preset: number | bigint | boolean | string | undefined
}

export interface Schema {
  readonly name: MessageName
  /** By number, as they are written. */
  readonly fields: readonly Field[]
  /** Index: the field's number; all are small. */
  readonly byNumber: readonly (Field | undefined)[]
  readonly required: readonly string[]
  readonly repeated: readonly string[]
}

const schemas = new Map<MessageName, Schema>()
const types = new Map<string, FieldType>()

/** The fields of a message. Its table line is read when it is first asked for: start-up is free. */
export function schemaOf(name: MessageName): Schema {
  return schemas.get(name) ?? parseSchema(name)
}

function parseSchema(name: MessageName): Schema {
  const line: string = tables[name]
  const words = line === '' ? [] : line.split(' ')
  const fields: Field[] = []
  const byNumber: (Field | undefined)[] = []
  const required: string[] = []
  const repeated: string[] = []
  for (let at = 0; at < words.length; at += 5) {
    const field = parseField(words, at)
    fields.push(field)
    byNumber[field.number] = field
    if (field.rule === 'required') required.push(field.name)
    if (field.rule === 'repeated') repeated.push(field.name)
  }
  const schema = { name, fields, byNumber, required, repeated }
  schemas.set(name, schema)
  return schema
}

/** All messages there are. */
export const messageNames = (): MessageName[] => Object.keys(tables) as MessageName[]

/** Name of an enum's value; undefined if it has none (an image of a newer version). */
export function enumValueName(name: EnumName, value: number): string | undefined {
  const entry = Object.entries(enums[name]).find(([, number]) => number === value)
  return entry?.[0]
}

/** The defaults of a message's optional fields: `{...defaultsOf('criu_opts'), ...message}`. */
export function defaultsOf<N extends MessageName>(name: N): Partial<Messages[N]> {
  const presets = schemaOf(name).fields.filter((field) => field.preset !== undefined)
  return Object.fromEntries(presets.map((f) => [f.name, f.preset])) as Partial<Messages[N]>
}

/** The five words of a field: `3 ? uint64 name 7`. */
function parseField(words: readonly string[], at: number): Field {
  const number = Number(words[at])
  const mark = words[at + 1]
  const type = typeOf(words[at + 2]!)
  const preset = words[at + 4]!
  return {
    number,
    name: words[at + 3]!,
    rule: mark === '!' ? 'required' : mark === '?' ? 'optional' : 'repeated',
    type,
    tag: (number << 3) | type.wire,
    preset: preset === '-' ? undefined : parsePreset(type, preset),
  }
}

function typeOf(word: string): FieldType {
  const known = types.get(word)
  if (known !== undefined) return known
  const type = parseType(word)
  types.set(word, type)
  return type
}

function parseType(word: string): FieldType {
  const rest = word.slice(1)
  if (word[0] === '#') return { kind: 'enum', name: rest as EnumName, wire: wireType.varint }
  if (word[0] === '.') return { kind: 'message', name: rest as MessageName, wire: wireType.bytes }
  const scalar = word as Scalar
  return { kind: 'scalar', scalar, wire: scalarWire(scalar), zero: zeroes[scalar] }
}

const zeroes: Readonly<Partial<Record<Scalar, FieldType['zero']>>> = {
  bool: false,
  int32: 0,
  uint32: 0,
  sint32: 0,
  int64: 0n,
  uint64: 0n,
  sint64: 0n,
}

function scalarWire(scalar: Scalar): number {
  if (scalar === 'string' || scalar === 'bytes') return wireType.bytes
  if (scalar === 'fixed32' || scalar === 'fixed64') return wireType[scalar]
  return wireType.varint
}

function parsePreset(type: FieldType, text: string): Field['preset'] {
  if (type.kind !== 'scalar') return Number(text)
  if (type.scalar === 'bool') return text === 'true'
  if (type.scalar === 'string') return text
  return type.scalar.endsWith('64') ? BigInt(text) : Number(text)
}

import { fail } from '../errors/error.ts'
import type { Messages } from './gen/messages.ts'
import { unknownFields } from './message.ts'
import { type Field, type MessageName, type Scalar, type Schema, schemaOf } from './schema.ts'
import { decodeText, encodeText } from './text.ts'
import { WireError, WireReader, WireWriter, wireType } from './wire.ts'

/** Where a message is from or goes to, for the error: `entry` counts from 0. */
export interface Place {
  readonly file: string
  readonly entry?: number
}

type Value = number | bigint | boolean | string | Uint8Array | Values
type Values = { [name: string]: Value | Value[] | undefined; [unknownFields]?: Uint8Array }

/** Messages nest in themselves (cgroup directories, AppArmor): damage must not exhaust the stack. */
const deepest = 100

/**
 * Decodes one message. Throws CriuError `image` when a required field is missing or the bytes are
 * no such message. Enum values are not checked: newer versions add some.
 */
export function decode<N extends MessageName>(
  name: N,
  bytes: Uint8Array,
  place: Place = { file: name },
): Messages[N] {
  return named(place, name, () => {
    const message: Values = {}
    decodeInto(schemaOf(name), message, new WireReader(bytes), 0)
    return message as unknown as Messages[N]
  })
}

/** Encodes one message. Throws CriuError `image` when a value does not fit its field. */
export function encode<N extends MessageName>(
  name: N,
  message: Init<Messages[N]>,
  place: Place = { file: name },
): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter(256)
  encodeTo(writer, name, message, place)
  return writer.result()
}

/** As {@link encode}, behind what the writer already has. */
export function encodeTo<N extends MessageName>(
  writer: WireWriter,
  name: N,
  message: Init<Messages[N]>,
  place: Place,
): void {
  named(place, name, () => encodeFields(schemaOf(name), message as unknown as Values, writer))
}

/** A message to write: repeated fields may be left out. */
export type Init<T> = {
  [K in keyof T as T[K] extends readonly unknown[] ? never : K]: T[K]
} & { [K in keyof T as T[K] extends readonly unknown[] ? K : never]?: T[K] | undefined }

/** A complete message from one whose repeated fields may be left out. */
export function make<N extends MessageName>(name: N, message: Init<Messages[N]>): Messages[N] {
  const empty = Object.fromEntries(schemaOf(name).repeated.map((field) => [field, []]))
  return { ...empty, ...message } as unknown as Messages[N]
}

function named<T>(place: Place, name: MessageName, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return fail({ code: 'image', ...place, reason: `${name}: ${error.message}` })
  }
}

/** Puts the field's name before the error's sentence. */
function inField(field: Field | undefined, error: unknown): never {
  if (field === undefined || !(error instanceof WireError)) throw error
  throw new WireError(`${field.name}: ${error.message}`)
}

function decodeInto(schema: Schema, message: Values, reader: WireReader, depth: number): void {
  if (depth > deepest) throw new WireError(`nested deeper than ${deepest}`)
  let unknown: Uint8Array[] | undefined
  let field: Field | undefined
  try {
    while (reader.pos < reader.end) {
      const start = reader.pos
      field = undefined
      const tag = reader.count()
      field = schema.byNumber[tag >>> 3]
      if (field !== undefined) decodeField(field, message, reader, tag & 7, depth)
      else {
        unknown ??= []
        unknown.push(takeUnknown(reader, tag, start))
      }
    }
  } catch (error) {
    inField(field, error)
  }
  for (const name of schema.repeated) message[name] ??= []
  if (unknown !== undefined) addUnknown(message, unknown)
  for (const name of schema.required) {
    if (message[name] === undefined) throw new WireError(`required field ${name} is missing`)
  }
}

function takeUnknown(reader: WireReader, tag: number, start: number): Uint8Array {
  if (tag >>> 3 === 0) throw new WireError('a field with number 0')
  reader.skipValue(tag & 7)
  return reader.bytes.slice(start, reader.pos)
}

function addUnknown(message: Values, parts: readonly Uint8Array[]): void {
  const before = message[unknownFields]
  message[unknownFields] = Buffer.concat(before === undefined ? parts : [before, ...parts])
}

function decodeField(
  field: Field,
  message: Values,
  reader: WireReader,
  wire: number,
  depth: number,
): void {
  const { name, rule, type } = field
  const expected = type.wire
  if (rule !== 'repeated') {
    if (wire !== expected) wrongWire(wire, expected)
    // A message that comes twice is one message: the parts are merged, as proto2 has it.
    const before = type.kind === 'message' ? message[name] : undefined
    message[name] = decodeValue(field, reader, depth, before as Values | undefined)
    return
  }
  message[name] ??= []
  const list = message[name] as Value[]
  if (wire === expected) {
    do list.push(decodeValue(field, reader, depth, undefined))
    while (reader.skipIf(field.tag))
  } else if (wire === wireType.bytes) decodePacked(field, list, reader, depth)
  else wrongWire(wire, expected)
}

function wrongWire(found: number, expected: number): never {
  throw new WireError(`wire type ${found} instead of ${expected}`)
}

function decodePacked(field: Field, list: Value[], reader: WireReader, depth: number): void {
  const outer = reader.enter()
  while (reader.pos < reader.end) list.push(decodeValue(field, reader, depth, undefined))
  reader.end = outer
}

function decodeValue(
  field: Field,
  reader: WireReader,
  depth: number,
  before: Values | undefined,
): Value {
  const { type } = field
  if (type.kind === 'enum') return reader.varint() | 0
  if (type.kind === 'scalar') return decodeScalar(type.scalar, reader)
  const inner: Values = before ?? {}
  const outer = reader.enter()
  decodeInto(schemaOf(type.name), inner, reader, depth + 1)
  reader.end = outer
  return inner
}

function decodeScalar(scalar: Scalar, reader: WireReader): Value {
  switch (scalar) {
    case 'uint32':
      return reader.varint()
    case 'uint64':
      return reader.uint64()
    case 'int32':
      return reader.varint() | 0
    case 'int64':
      return reader.int64()
    case 'bool':
      return reader.varint() !== 0 || reader.high !== 0
    case 'sint32': {
      const raw = reader.varint()
      return (raw >>> 1) ^ -(raw & 1)
    }
    case 'sint64': {
      const raw = reader.uint64()
      return (raw >> 1n) ^ -(raw & 1n)
    }
    case 'fixed32':
      return reader.fixed32()
    case 'fixed64':
      return reader.fixed64()
    case 'string':
      return decodeText(reader.take(reader.count()))
    case 'bytes':
      return reader.take(reader.count()).slice()
  }
}

function encodeFields(schema: Schema, message: Values, writer: WireWriter): void {
  let at: Field | undefined
  try {
    for (const field of schema.fields) {
      at = field
      const value = message[field.name]
      if (value !== undefined) encodeField(field, value, writer)
      else if (field.rule === 'required') throw new WireError('required, but not given')
    }
  } catch (error) {
    inField(at, error)
  }
  const unknown = message[unknownFields]
  if (unknown !== undefined) writer.raw(unknown)
}

function encodeField(field: Field, value: Value | Value[], writer: WireWriter): void {
  if (field.rule !== 'repeated') {
    encodeOne(field, value as Value, writer)
    return
  }
  if (!Array.isArray(value)) throw new WireError('not an array')
  for (const item of value) encodeOne(field, item, writer)
}

/** Registers and signal actions come by the hundred, most of them zero: those go a short way. */
function encodeOne(field: Field, value: Value, writer: WireWriter): void {
  writer.varint(field.tag)
  if (value === field.type.zero) writer.varint(0)
  else encodeValue(field, value, writer)
}

function encodeValue(field: Field, value: Value, writer: WireWriter): void {
  const { type } = field
  if (type.kind === 'enum') encodeScalar('int32', value, writer)
  else if (type.kind === 'scalar') encodeScalar(type.scalar, value, writer)
  else {
    if (typeof value !== 'object' || value instanceof Uint8Array) mismatch(value, type.name)
    const start = writer.open()
    encodeFields(schemaOf(type.name), value, writer)
    writer.close(start)
  }
}

const bigRanges = {
  uint64: [0n, 0xffff_ffff_ffff_ffffn],
  fixed64: [0n, 0xffff_ffff_ffff_ffffn],
  int64: [-(1n << 63n), (1n << 63n) - 1n],
  sint64: [-(1n << 63n), (1n << 63n) - 1n],
} as const

function encodeScalar(scalar: Scalar, value: Value, writer: WireWriter): void {
  switch (scalar) {
    case 'bool':
      if (typeof value !== 'boolean') mismatch(value, scalar)
      writer.varint(value ? 1 : 0)
      break
    case 'string':
      if (typeof value !== 'string') mismatch(value, scalar)
      encodeBytes(encodeText(value), writer)
      break
    case 'bytes':
      if (!(value instanceof Uint8Array)) mismatch(value, scalar)
      encodeBytes(value, writer)
      break
    case 'uint32':
    case 'fixed32':
      if (typeof value !== 'number' || value >>> 0 !== value) mismatch(value, scalar)
      if (scalar === 'uint32') writer.varint(value)
      else writer.fixed32(value)
      break
    case 'int32':
    case 'sint32':
      if (typeof value !== 'number' || (value | 0) !== value) mismatch(value, scalar)
      if (scalar === 'sint32') writer.varint((value << 1) ^ (value >> 31))
      else writer.varint64(value >>> 0, value < 0 ? 0xffff_ffff : 0)
      break
    default:
      encodeBig(scalar, value, writer)
  }
}

function encodeBig(scalar: keyof typeof bigRanges, value: Value, writer: WireWriter): void {
  const [lowest, highest] = bigRanges[scalar]
  if (typeof value !== 'bigint' || value < lowest || value > highest) mismatch(value, scalar)
  if (scalar === 'fixed64') writer.fixed64(value)
  else writer.bigVarint(scalar === 'sint64' ? (value << 1n) ^ (value >> 63n) : value)
}

function encodeBytes(bytes: Uint8Array, writer: WireWriter): void {
  writer.varint(bytes.length)
  writer.raw(bytes)
}

function mismatch(value: unknown, wanted: string): never {
  const shown = typeof value === 'object' ? 'an object' : `${typeof value} ${String(value)}`
  throw new WireError(`${shown} is no ${wanted}`)
}

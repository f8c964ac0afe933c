import { WireReader, WireWriter, wireType } from '../../images/wire.ts'
import { integer, isObject, type Json, type JsonObject } from './values.ts'

/**
 * Fields that no definition of ours names, as a list of `{field, varint | fixed64 | fixed32 | bytes}`:
 * an image of another version loses nothing on its way through JSON.
 */
export function unknownToJson(bytes: Uint8Array): JsonObject[] {
  const fields: JsonObject[] = []
  const reader = new WireReader(bytes)
  while (reader.pos < reader.end) {
    const tag = reader.count()
    fields.push({ field: tag >>> 3, ...unknownValue(tag & 7, reader) })
  }
  return fields
}

function unknownValue(type: number, reader: WireReader): JsonObject {
  if (type === wireType.varint) return { varint: integer(reader.uint64()) }
  if (type === wireType.fixed64) return { fixed64: integer(reader.fixed64()) }
  if (type === wireType.fixed32) return { fixed32: reader.fixed32() }
  return { bytes: Buffer.from(reader.take(reader.count())).toString('base64') }
}

/** The bytes again; undefined: it is no such list. */
export function unknownFromJson(list: Json): Uint8Array | undefined {
  if (!Array.isArray(list)) return undefined
  const writer = new WireWriter(64)
  for (const item of list as readonly Json[]) {
    if (!isObject(item) || !writeField(writer, item)) return undefined
  }
  return writer.result()
}

function writeField(writer: WireWriter, item: JsonObject): boolean {
  const field = item.field
  if (typeof field !== 'number' || field < 1 || field >= 2 ** 29) return false
  const tag = (type: number) => writer.varint(((field << 3) | type) >>> 0)
  if (typeof item.bytes === 'string') {
    const bytes = Buffer.from(item.bytes, 'base64')
    tag(wireType.bytes)
    writer.varint(bytes.length)
    writer.raw(bytes)
    return true
  }
  const [name] = (['varint', 'fixed64', 'fixed32'] as const).filter(
    (key) => item[key] !== undefined,
  )
  const number = name && unsigned(item[name])
  if (name === undefined || number === undefined) return false
  tag(wireType[name])
  if (name === 'varint') writer.bigVarint(number)
  else if (name === 'fixed64') writer.fixed64(number)
  else writer.fixed32(Number(number))
  return true
}

function unsigned(value: Json | undefined): bigint | undefined {
  const isNumber = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  if (isNumber || (typeof value === 'string' && /^\d+$/.test(value))) return BigInt(value)
  return undefined
}

import { type Message, unknownFields } from './message.ts'
import { WireReader, WireWriter, wireType } from './wire.ts'

/**
 * Fields of ours in messages of upstream: what its images have no room for. Their numbers begin here;
 * upstream skips them as unknown, and its own numbers are far below.
 */
export const FIRST_OWN_FIELD = 15000

/** A number without sign, or bytes. */
export type OwnValue = bigint | Uint8Array

/** Fields by number; of a number that comes several times, the last. */
export type OwnFields = ReadonlyMap<number, OwnValue>

/** The message with such fields behind all others, and those that it had. */
export function withOwnFields<M extends Message>(message: M, fields: OwnFields): M {
  if (fields.size === 0) return message
  const writer = new WireWriter()
  writer.raw(message[unknownFields] ?? new Uint8Array())
  for (const [field, value] of fields) {
    if (typeof value === 'bigint') {
      writer.varint((field << 3) | wireType.varint)
      writer.bigVarint(value)
    } else {
      writer.varint((field << 3) | wireType.bytes)
      writer.varint(value.length)
      writer.raw(value)
    }
  }
  return { ...message, [unknownFields]: writer.result() }
}

/** Fields of ours that a message has; others that we do not know are no affair of ours. */
export function ownFieldsOf(message: Message): OwnFields {
  const found = new Map<number, OwnValue>()
  const reader = new WireReader(message[unknownFields] ?? new Uint8Array())
  while (reader.pos < reader.end) {
    const tag = reader.count()
    const [field, type] = [tag >>> 3, tag & 7]
    if (field < FIRST_OWN_FIELD) reader.skipValue(type)
    else if (type === wireType.varint) found.set(field, reader.uint64())
    else if (type === wireType.bytes) found.set(field, reader.take(reader.count()))
    else reader.skipValue(type)
  }
  return found
}

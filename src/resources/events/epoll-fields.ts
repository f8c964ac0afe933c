import type { Messages } from '../../images/gen/messages.ts'
import { unknownFields } from '../../images/message.ts'
import { WireReader, WireWriter, wireType } from '../../images/wire.ts'

type TargetEntry = Messages['eventpoll_tfd_entry']

/**
 * What upstream's eventpoll_tfd_entry has no room for, in fields of ours that it skips. A target of
 * which its fields tell all has none of them.
 */
export interface OwnFields {
  /** Id of the watched file, where `tfd` does not lead to it. */
  readonly file?: number | undefined
  /** The descriptor number that it was added under, where that is not `tfd`. */
  readonly number?: number | undefined
  /** Edge-triggered and ready, but its event was taken already: it must not come again. */
  readonly taken?: boolean
}

/** Field numbers; each is one number on the wire. */
const FIELD = { file: 15000, number: 15001, taken: 15002 } as const

const tagOf = (field: number): number => (field << 3) | wireType.varint

export function withOwnFields(entry: TargetEntry, own: OwnFields): TargetEntry {
  const { file, number, taken } = own
  if (file === undefined && number === undefined && !taken) return entry
  const writer = new WireWriter()
  const put = (field: number, value: number | undefined): void => {
    if (value === undefined) return
    writer.varint(tagOf(field))
    writer.varint(value)
  }
  put(FIELD.file, file)
  put(FIELD.number, number)
  put(FIELD.taken, taken ? 1 : undefined)
  return { ...entry, [unknownFields]: writer.result() }
}

export function ownFieldsOf(entry: TargetEntry): OwnFields {
  const found = new Map<number, number>()
  const bytes = entry[unknownFields]
  const reader = new WireReader(bytes ?? new Uint8Array())
  while (reader.pos < reader.end) {
    const tag = reader.count()
    if ((tag & 7) === wireType.varint && tag >>> 3 >= FIELD.file) {
      found.set(tag >>> 3, reader.varint())
    } else reader.skipValue(tag & 7)
  }
  return {
    file: found.get(FIELD.file),
    number: found.get(FIELD.number),
    taken: found.get(FIELD.taken) === 1,
  }
}

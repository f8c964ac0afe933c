import type { Messages } from '../../images/gen/messages.ts'
import { unknownFields } from '../../images/message.ts'
import { WireReader, WireWriter, wireType } from '../../images/wire.ts'

type PipeData = Messages['pipe_data_entry']

/** What upstream's pipe_data_entry has no room for, in fields of ours that it skips. */
export interface OwnFields {
  /** Lengths of the packets of a pipe in packet mode. */
  readonly packets?: readonly number[] | undefined
  /** The end that the tree lacks was open elsewhere. */
  readonly outside?: boolean
}

/** Field numbers; `packets` is there once for each of them. */
const FIELD = { packets: 15000, outside: 15001 } as const

const tagOf = (field: number): number => (field << 3) | wireType.varint

export function withOwnFields(entry: PipeData, { packets, outside }: OwnFields): PipeData {
  if (!packets && !outside) return entry
  const writer = new WireWriter()
  for (const length of packets ?? []) {
    writer.varint(tagOf(FIELD.packets))
    writer.varint(length)
  }
  if (outside) {
    writer.varint(tagOf(FIELD.outside))
    writer.varint(1)
  }
  return { ...entry, [unknownFields]: writer.result() }
}

/** Lengths of packets are left out for a stream of bytes, and where they do not make up the content. */
export function ownFieldsOf(entry: PipeData): OwnFields {
  const packets: number[] = []
  let outside = false
  const reader = new WireReader(entry[unknownFields] ?? new Uint8Array())
  while (reader.pos < reader.end) {
    const tag = reader.count()
    if (tag === tagOf(FIELD.packets)) packets.push(reader.count())
    else if (tag === tagOf(FIELD.outside)) outside = reader.count() === 1
    else reader.skipValue(tag & 7)
  }
  const sum = packets.reduce((total, length) => total + length, 0)
  const whole = sum === entry.bytes && packets.length > 0
  return { packets: whole ? packets : undefined, outside }
}

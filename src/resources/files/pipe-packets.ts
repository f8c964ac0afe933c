import type { Messages } from '../../images/gen/messages.ts'
import { unknownFields } from '../../images/message.ts'
import { WireReader, WireWriter, wireType } from '../../images/wire.ts'

type PipeData = Messages['pipe_data_entry']

/**
 * Number of a field of ours in pipe_data_entry: the lengths of the packets of a pipe in packet mode,
 * one number each. Upstream's images cannot tell them; it skips the field as unknown.
 */
const FIELD = 15000
const TAG = (FIELD << 3) | wireType.varint

/** The entry that tells where packets end as well. */
export function withPackets(entry: PipeData, packets: readonly number[] | undefined): PipeData {
  if (!packets) return entry
  const writer = new WireWriter()
  for (const length of packets) {
    writer.varint(TAG)
    writer.varint(length)
  }
  return { ...entry, [unknownFields]: writer.result() }
}

/** Lengths of packets; undefined for a stream of bytes, and where they do not make up the content. */
export function packetsOf(entry: PipeData): number[] | undefined {
  const bytes = entry[unknownFields]
  if (!bytes) return undefined
  const packets: number[] = []
  const reader = new WireReader(bytes)
  while (reader.pos < reader.end) {
    const tag = reader.count()
    if (tag === TAG) packets.push(reader.count())
    else reader.skipValue(tag & 7)
  }
  const sum = packets.reduce((total, length) => total + length, 0)
  return sum === entry.bytes && packets.length > 0 ? packets : undefined
}

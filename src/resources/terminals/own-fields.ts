import { type Message, unknownFields } from '../../images/message.ts'
import { WireReader, WireWriter, wireType } from '../../images/wire.ts'

/**
 * What upstream's messages of terminals have no room for: numbers in fields of ours, which it skips.
 * A terminal of which upstream's fields tell all has none of them.
 */
export const OWN = {
  /** tty_info_entry: which other entries belong to the same pseudoterminal. */
  pair: 15000,
  /** Permissions of /dev/pts/N, of which no descriptor need be open. */
  mode: 15001,
  /** The slave was never opened: its master waits, instead of getting EIO. */
  neverOpened: 15002,
  /** Bits of TIOCPKT that the master has not read yet. */
  packetStatus: 15003,
  /** Who stopped the output: bits of FLOW. */
  flow: 15004,
  /** Processes of its session that have no controlling terminal: they were there before, or left it. */
  without: 15005,
  /** tty_file_entry: this description was hung up, also where the terminal goes on. */
  hungUp: 15006,
  /** tty_data_entry: the lines of it, in canonical mode; see lines.ts. */
  line: 15007,
  /** How many of its bytes the line discipline has seen; the rest it still has to process. */
  processed: 15008,
} as const

/** `stopped by ^S`, `by tcflow` on the slave, `by tcflow` on the master. */
export const FLOW = { TYPED: 1, CALLED: 2, MASTER: 4 } as const

const tagOf = (field: number): number => (field << 3) | wireType.varint

/** The entry with these numbers; a field without a number is left out, also one that is 0. */
export function withOwn<T extends object>(
  entry: T,
  fields: Partial<Record<keyof typeof OWN, number | readonly number[]>>,
): T {
  const writer = new WireWriter()
  for (const [name, value] of Object.entries(fields))
    for (const number of typeof value === 'number' ? [value].filter(Boolean) : value) {
      writer.varint(tagOf(OWN[name as keyof typeof OWN]))
      writer.varint(number)
    }
  return writer.length === 0 ? entry : { ...entry, [unknownFields]: writer.result() }
}

/** All numbers of a field, in order. */
export function ownList(entry: Message, name: keyof typeof OWN): number[] {
  const numbers: number[] = []
  const bytes = entry[unknownFields]
  const reader = new WireReader(bytes ?? new Uint8Array())
  while (reader.pos < reader.end) {
    const tag = reader.count()
    if (tag === tagOf(OWN[name])) numbers.push(reader.count())
    else reader.skipValue(tag & 7)
  }
  return numbers
}

/** The last number of a field, as of any that is not repeated. */
export const ownNumber = (entry: Message, name: keyof typeof OWN): number | undefined =>
  ownList(entry, name).at(-1)

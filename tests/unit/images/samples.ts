import type { Messages } from '../../../src/images/gen/messages.ts'
import { unknownFields } from '../../../src/images/message.ts'
import { type Field, type MessageName, type Scalar, schemaOf } from '../../../src/images/schema.ts'

/** Values at the edges of each type, in the order in which samples use them. */
const values: Readonly<Record<Scalar, readonly unknown[]>> = {
  int32: [0, 1, -1, 0x7fff_ffff, -0x8000_0000, 127, 128],
  uint32: [0, 1, 0xffff_ffff, 127, 128, 0x8000_0000, 16384],
  sint32: [0, -1, 1, 0x7fff_ffff, -0x8000_0000],
  fixed32: [0, 1, 0xffff_ffff, 0x1234_5678],
  int64: [0n, -1n, (1n << 63n) - 1n, -(1n << 63n), 1n << 32n],
  uint64: [0n, (1n << 64n) - 1n, 1n << 63n, 1n << 53n, (1n << 53n) - 1n, 1n << 32n, 127n, 128n],
  sint64: [0n, -1n, 1n, (1n << 63n) - 1n, -(1n << 63n)],
  fixed64: [0n, (1n << 64n) - 1n, 0x0123_4567_89ab_cdefn],
  bool: [true, false],
  string: ['', 'plain', 'na\u00efve', '\u00ff\u0080/not utf-8', 'x'.repeat(300)],
  bytes: [new Uint8Array(0), Uint8Array.of(0, 255, 128), new Uint8Array(200).fill(7)],
}

/** Two fields that no message has: a varint of ten bytes and a text. */
const strangers = Uint8Array.from([
  ...[0x80, 0xfa, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  ...[0x8a, 0xfa, 0x01, 0x03, 0x61, 0x62, 0x63],
])

/** A message with all fields set; another `turn` takes other values. */
export function sample<N extends MessageName>(name: N, turn: number): Messages[N] {
  return build(name, turn, 0) as unknown as Messages[N]
}

function build(name: MessageName, turn: number, depth: number): object {
  const fields = schemaOf(name).fields.map((field, at) => [
    field.name,
    fieldValue(field, turn + at, depth),
  ])
  return { ...Object.fromEntries(fields), [unknownFields]: strangers }
}

function fieldValue(field: Field, turn: number, depth: number): unknown {
  if (field.rule !== 'repeated') return single(field, turn, depth)
  // Messages that hold themselves end here.
  const count = field.type.kind === 'message' && depth > 2 ? 0 : (turn % 3) + 1
  return Array.from({ length: count }, (_, i) => single(field, turn + i, depth))
}

function single({ type }: Field, turn: number, depth: number): unknown {
  if (type.kind === 'message') return build(type.name, turn, depth + 1)
  if (type.kind === 'enum') return values.int32[turn % values.int32.length]
  return values[type.scalar][turn % values[type.scalar].length]
}

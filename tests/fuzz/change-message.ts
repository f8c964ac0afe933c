import { type Field, type MessageName, type Scalar, schemaOf } from '../../src/images/schema.ts'
import type { Random } from './random.ts'
import type { Sample, Values } from './sample.ts'

/** Values that other entries of the same directory have: ids that lead somewhere else. */
export interface Pool {
  readonly numbers: readonly bigint[]
  readonly strings: readonly string[]
}

export function poolOf({ images }: Sample): Pool {
  const numbers = new Set<bigint>()
  const strings = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value === 'number' || typeof value === 'bigint') numbers.add(BigInt(value))
    else if (typeof value === 'string') strings.add(value)
    else if (value && typeof value === 'object' && !ArrayBuffer.isView(value))
      for (const part of Object.values(value)) visit(part)
  }
  for (const { items } of images.values()) for (const { message } of items ?? []) visit(message)
  return { numbers: [...numbers].slice(0, 5000), strings: [...strings] }
}

/** Changes one thing in a message, anywhere in it; says which. */
export function changeMessage(
  name: MessageName,
  message: Values,
  pool: Pool,
  random: Random,
): string {
  const field = random.pick(schemaOf(name).fields.length > 0 ? schemaOf(name).fields : [undefined])
  if (!field) return 'nothing'
  return `${field.name}${changeField(field, message, pool, random)}`
}

function changeField(field: Field, message: Values, pool: Pool, random: Random): string {
  if (field.rule === 'repeated') return changeList(field, message, pool, random)
  const value = message[field.name]
  if (value !== undefined && field.rule === 'optional' && random.chance(15)) {
    delete message[field.name]
    return ' away'
  }
  return changeValue(field, value, (next) => (message[field.name] = next), pool, random)
}

/** As many as nobody has, and still not much to write. */
const MANY = 5000

function changeList(field: Field, message: Values, pool: Pool, random: Random): string {
  const list = [...((message[field.name] as unknown[] | undefined) ?? [])]
  message[field.name] = list
  if (list.length === 0 || random.chance(10)) {
    list.push(newValue(field, pool, random))
    return ' + 1'
  }
  const at = random.below(list.length)
  switch (random.below(8)) {
    case 0:
      list.splice(at, 1)
      return `[${at}] away`
    case 1:
      list.splice(random.below(list.length), 0, structuredClone(list[at]))
      return `[${at}] twice`
    case 2:
      list.reverse()
      return ' backwards'
    case 3: {
      const many = random.chance(20) ? MANY : 1 + random.below(40)
      for (let i = 0; i < many; i++) list.push(list[at])
      return `[${at}] ${many} times`
    }
    default:
      return `[${at}]${changeValue(field, list[at], (next) => (list[at] = next), pool, random)}`
  }
}

function changeValue(
  field: Field,
  value: unknown,
  set: (value: unknown) => void,
  pool: Pool,
  random: Random,
): string {
  const { type } = field
  if (type.kind === 'message' && value !== undefined && !random.chance(5)) {
    const copy = { ...(value as Values) }
    set(copy)
    return `.${changeMessage(type.name, copy, pool, random)}`
  }
  const next =
    type.kind === 'message' ? newValue(field, pool, random) : leaf(field, value, pool, random)
  set(next)
  return ` = ${shown(next)}`
}

const shown = (value: unknown): string =>
  value instanceof Uint8Array
    ? `${value.length} bytes`
    : typeof value === 'object'
      ? 'a new message'
      : String(value).slice(0, 40)

/** A message has its required fields, and of the others a few. */
function newValue(field: Field, pool: Pool, random: Random, depth = 0): unknown {
  const { type } = field
  if (type.kind !== 'message') return leaf(field, undefined, pool, random)
  const made: Values = {}
  for (const inner of schemaOf(type.name).fields) {
    if (inner.rule === 'repeated') made[inner.name] = []
    else if (inner.rule === 'required' || (depth < 3 && random.chance(30)))
      made[inner.name] = newValue(inner, pool, random, depth + 1)
  }
  return made
}

function leaf({ type }: Field, value: unknown, pool: Pool, random: Random): unknown {
  if (type.kind === 'enum') return Number(BigInt.asIntN(32, number('int32', value, pool, random)))
  if (type.kind !== 'scalar') return {}
  switch (type.scalar) {
    case 'bool':
      return value === undefined ? random.chance(50) : !value
    case 'string':
      return text(value, pool, random)
    case 'bytes':
      return bytes(value, random)
    default: {
      const next = number(type.scalar, value, pool, random)
      return type.scalar.endsWith('64') ? next : Number(next)
    }
  }
}

const EDGES: readonly bigint[] = [
  ...[0n, 1n, -1n, 2n, 3n, 7n, 255n, 4095n, 4096n, 65535n, 65536n],
  ...[0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n, 1n << 40n, 1n << 47n],
  ...[(1n << 47n) - 4096n, (1n << 53n) - 1n, 1n << 53n, 1n << 62n, (1n << 63n) - 1n, 1n << 63n],
  (1n << 64n) - 1n,
]

function number(scalar: Scalar, value: unknown, pool: Pool, random: Random): bigint {
  const before = typeof value === 'bigint' || typeof value === 'number' ? BigInt(value) : 0n
  const found = otherNumber(before, pool, random)
  const bits = scalar.endsWith('64') ? 64 : 32
  return /^(int|sint)/.test(scalar) ? BigInt.asIntN(bits, found) : BigInt.asUintN(bits, found)
}

function otherNumber(before: bigint, pool: Pool, random: Random): bigint {
  switch (random.below(6)) {
    case 0:
      return before ^ (1n << BigInt(random.below(64)))
    case 1:
      return before ^ (1n << BigInt(random.below(12)))
    case 2:
      return before + BigInt(random.below(5) - 2)
    case 3:
      return random.pick(pool.numbers)
    default:
      return random.pick(EDGES)
  }
}

function text(value: unknown, pool: Pool, random: Random): string {
  const before = typeof value === 'string' ? value : ''
  switch (random.below(7)) {
    case 0:
      return ''
    case 1:
      return before.slice(0, random.below(before.length + 1))
    case 2:
      return `${before}${random.pick(['\0', '/', '/..', ' (deleted)', '\n', '\xff', '%s'])}`
    case 3:
      return 'x'.repeat(random.pick([1, 107, 108, 109, 255, 256, 4095, 4096, 100_000]))
    case 4:
      return random.pick(['/', '.', '..', '\0', '/proc/self/mem', '/dev/null', 'a/b', 'pipe:[1]'])
    default:
      return random.pick(pool.strings)
  }
}

function bytes(value: unknown, random: Random): Uint8Array {
  const before = value instanceof Uint8Array ? value : new Uint8Array(0)
  const copy = Uint8Array.from(before)
  switch (random.below(5)) {
    case 0:
      return new Uint8Array(0)
    case 1:
      return copy.subarray(0, random.below(copy.length + 1))
    case 2:
      return Buffer.concat([copy, Buffer.alloc(random.pick([1, 7, 8, 100, 4096, 70_000]), 0x41)])
    default:
      if (copy.length > 0) copy[random.below(copy.length)]! ^= 1 << random.below(8)
      return copy
  }
}

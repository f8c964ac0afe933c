import { NLA_F } from '../constants/netlink.ts'
import { nlattr } from '../layout/netlink.ts'

/** One attribute: its type without flags, and its value as it stands in the message. */
export interface Attribute {
  readonly type: number
  readonly value: Uint8Array
}

const aligned = (length: number): number => (length + 3) & ~3
const viewOf = (value: Uint8Array): DataView =>
  new DataView(value.buffer, value.byteOffset, value.byteLength)

/**
 * The attributes of a message, or nested in one of them. A type may occur several times (elements of
 * a list); what names one attribute means the last of its type, as the kernel's own parser does.
 */
export class Attributes {
  readonly all: readonly Attribute[]

  constructor(all: readonly Attribute[]) {
    this.all = all
  }

  has(type: number): boolean {
    return this.bytes(type) !== undefined
  }

  bytes(type: number): Uint8Array | undefined {
    return this.all.findLast((attribute) => attribute.type === type)?.value
  }

  u8(type: number): number | undefined {
    return this.bytes(type)?.[0]
  }

  u16(type: number): number | undefined {
    return this.#view(type)?.getUint16(0, true)
  }

  u32(type: number): number | undefined {
    return this.#view(type)?.getUint32(0, true)
  }

  u64(type: number): bigint | undefined {
    return this.#view(type)?.getBigUint64(0, true)
  }

  /** In network byte order, as netfilter has its numbers. */
  be16(type: number): number | undefined {
    return this.#view(type)?.getUint16(0, false)
  }

  be32(type: number): number | undefined {
    return this.#view(type)?.getUint32(0, false)
  }

  be64(type: number): bigint | undefined {
    return this.#view(type)?.getBigUint64(0, false)
  }

  /** Byte string up to its zero, if it has one. */
  string(type: number): string | undefined {
    const value = this.bytes(type)
    if (!value) return undefined
    const end = value.indexOf(0)
    return Buffer.from(end < 0 ? value : value.subarray(0, end)).toString('latin1')
  }

  nested(type: number): Attributes | undefined {
    const value = this.bytes(type)
    return value && parseAttributes(value)
  }

  /** Each attribute of this type, with what is nested in it. */
  eachNested(type: number): Attributes[] {
    return this.all.flatMap((one) => (one.type === type ? [parseAttributes(one.value)] : []))
  }

  #view(type: number): DataView | undefined {
    const value = this.bytes(type)
    return value && viewOf(value)
  }
}

/** Attributes from `offset` on to the end. One that would reach beyond it throws a RangeError. */
export function parseAttributes(source: Uint8Array, offset = 0): Attributes {
  const all: Attribute[] = []
  const view = viewOf(source)
  for (let at = offset; at + nlattr.size <= source.length; ) {
    const { len, type } = nlattr.read(view, at)
    if (len < nlattr.size || at + len > source.length)
      throw new RangeError(`attribute ${type} of ${len} bytes at ${at} of ${source.length}`)
    const plain = type & ~(NLA_F.NESTED | NLA_F.NET_BYTEORDER)
    all.push({ type: plain, value: source.subarray(at + nlattr.size, at + len) })
    at += aligned(len)
  }
  return new Attributes(all)
}

/** An attribute to send, padded to 4 bytes. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  const target = new Uint8Array(aligned(nlattr.size + value.length))
  nlattr.write(viewOf(target), 0, { len: nlattr.size + value.length, type })
  target.set(value, nlattr.size)
  return target
}

/** An attribute that holds others. */
export const nest = (type: number, ...children: readonly Uint8Array[]): Uint8Array =>
  attribute(type | NLA_F.NESTED, joinBytes(children))

export const attributeU8 = (type: number, value: number): Uint8Array =>
  attribute(type, Uint8Array.of(value))

export function attributeU16(type: number, value: number): Uint8Array {
  return numeric(type, 2, (view) => view.setUint16(0, value, true))
}

export function attributeU32(type: number, value: number): Uint8Array {
  return numeric(type, 4, (view) => view.setUint32(0, value, true))
}

export function attributeU64(type: number, value: bigint): Uint8Array {
  return numeric(type, 8, (view) => view.setBigUint64(0, value, true))
}

/** In network byte order, as netfilter wants its numbers. */
export function attributeBe16(type: number, value: number): Uint8Array {
  return numeric(type, 2, (view) => view.setUint16(0, value, false))
}

export function attributeBe32(type: number, value: number): Uint8Array {
  return numeric(type, 4, (view) => view.setUint32(0, value, false))
}

export function attributeBe64(type: number, value: bigint): Uint8Array {
  return numeric(type, 8, (view) => view.setBigUint64(0, value, false))
}

/** A byte string with its closing zero. */
export const attributeString = (type: number, text: string): Uint8Array =>
  attribute(type, Buffer.from(`${text}\0`, 'latin1'))

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const target = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    target.set(part, at)
    at += part.length
  }
  return target
}

function numeric(type: number, size: number, write: (view: DataView) => void): Uint8Array {
  const value = new Uint8Array(size)
  write(viewOf(value))
  return attribute(type, value)
}

/** The protobuf wire format: varints, fixed widths and lengths. Knows no messages. */

/** Bytes that are no valid message, or a value that its field cannot hold. */
export class WireError extends Error {}

export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

const two32 = 0x1_0000_0000

/** Reads values from `bytes`, from `pos` up to `end`; never past it. */
export class WireReader {
  readonly bytes: Uint8Array
  pos: number
  end: number
  /** High half of the last varint, as an unsigned number. */
  high = 0
  #view: DataView | undefined

  constructor(bytes: Uint8Array, pos = 0, end = bytes.length) {
    this.bytes = bytes
    this.pos = pos
    this.end = end
  }

  /** Reads a varint: returns its low 32 bits unsigned, leaves the upper ones in `high`. */
  varint(): number {
    const { bytes, end } = this
    let pos = this.pos
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (pos >= end) throw new WireError('a number is cut off')
      const byte = bytes[pos++]!
      const part = byte & 0x7f
      if (shift < 28) low |= part << shift
      else if (shift === 28) {
        low |= part << 28
        high = part >>> 4
      } else if (shift < 63) high |= part << (shift - 32)
      else high |= part << 31
      if (byte < 0x80) {
        this.pos = pos
        this.high = high >>> 0
        return low >>> 0
      }
    }
    throw new WireError('a number has more than 64 bits')
  }

  /** Reads a varint that counts bytes or numbers fields, so must fit into 32 bits. */
  count(): number {
    const low = this.varint()
    if (this.high !== 0) throw new WireError(`a length of ${this.high * two32 + low}`)
    return low
  }

  uint64(): bigint {
    return join(this.varint(), this.high)
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64())
  }

  fixed32(): number {
    return this.#fixed(4).getUint32(this.pos - 4, true)
  }

  fixed64(): bigint {
    return this.#fixed(8).getBigUint64(this.pos - 8, true)
  }

  /** Narrows reading to the length-delimited part that begins here; returns the end to go back to. */
  enter(): number {
    const length = this.count()
    const outer = this.end
    const start = this.pos
    this.#skip(length)
    this.pos = start
    this.end = start + length
    return outer
  }

  /** The next `length` bytes, not copied. */
  take(length: number): Uint8Array {
    const start = this.pos
    this.#skip(length)
    return this.bytes.subarray(start, this.pos)
  }

  /** Goes past a tag if that comes next. False for tags of more than two bytes: read them. */
  skipIf(tag: number): boolean {
    const { bytes, pos, end } = this
    if (tag < 0x80) {
      if (pos >= end || bytes[pos] !== tag) return false
      this.pos = pos + 1
      return true
    }
    if (tag >= 0x4000 || pos + 1 >= end) return false
    if (bytes[pos] !== ((tag & 0x7f) | 0x80) || bytes[pos + 1] !== tag >>> 7) return false
    this.pos = pos + 2
    return true
  }

  /** Goes past the value behind a tag of this wire type. */
  skipValue(type: number): void {
    if (type === wireType.varint) this.varint()
    else if (type === wireType.fixed64) this.#skip(8)
    else if (type === wireType.bytes) this.#skip(this.count())
    else if (type === wireType.fixed32) this.#skip(4)
    else throw new WireError(`unknown wire type ${type}`)
  }

  #skip(length: number): void {
    if (length > this.end - this.pos) {
      throw new WireError(`${length} bytes announced, ${this.end - this.pos} left`)
    }
    this.pos += length
  }

  #fixed(length: number): DataView {
    this.#skip(length)
    const { buffer, byteOffset, byteLength } = this.bytes
    this.#view ??= new DataView(buffer, byteOffset, byteLength)
    return this.#view
  }
}

/** Collects bytes in one growing buffer. */
export class WireWriter {
  bytes: Uint8Array<ArrayBuffer>
  length = 0

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity)
  }

  /** What was written so far; a view, valid until the next write. */
  result(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length)
  }

  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count))
    grown.set(this.result())
    this.bytes = grown
  }

  /** An unsigned 32-bit number. */
  varint(value: number): void {
    if (this.length + 10 > this.bytes.length) this.reserve(10)
    const { bytes } = this
    let rest = value >>> 0
    while (rest > 0x7f) {
      bytes[this.length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[this.length++] = rest
  }

  /** A number of 64 bits from its unsigned halves. */
  varint64(low: number, high: number): void {
    if (high === 0) {
      this.varint(low)
      return
    }
    this.reserve(10)
    let lo = low
    let hi = high
    while (hi !== 0) {
      this.bytes[this.length++] = (lo & 0x7f) | 0x80
      lo = ((lo >>> 7) | (hi << 25)) >>> 0
      hi >>>= 7
    }
    this.varint(lo)
  }

  /** Any bigint, its low 64 bits; the caller has checked the range. */
  bigVarint(value: bigint): void {
    const number = Number(value)
    if (number >= 0 && number <= Number.MAX_SAFE_INTEGER) {
      this.varint64(number >>> 0, Math.floor(number / two32))
      return
    }
    const bits = BigInt.asUintN(64, value)
    this.varint64(Number(bits & 0xffff_ffffn), Number(bits >> 32n))
  }

  fixed32(value: number): void {
    this.reserve(4)
    for (let i = 0; i < 4; i++) this.bytes[this.length++] = value >>> (i * 8)
  }

  fixed64(value: bigint): void {
    this.fixed32(Number(value & 0xffff_ffffn))
    this.fixed32(Number((value >> 32n) & 0xffff_ffffn))
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Begins a part with its length before it; what it returns goes to {@link close}. */
  open(): number {
    this.reserve(1)
    return ++this.length
  }

  /** Ends the part that {@link open} began: now its length is known and put before it. */
  close(start: number): void {
    const size = this.length - start
    let extra = 0
    for (let rest = size >>> 7; rest > 0; rest >>>= 7) extra++
    this.reserve(extra + 10)
    if (extra > 0) this.bytes.copyWithin(start + extra, start, this.length)
    const end = this.length + extra
    this.length = start - 1
    this.varint(size)
    this.length = end
  }
}

function join(low: number, high: number): bigint {
  if (high === 0) return BigInt(low)
  if (high < 0x20_0000) return BigInt(high * two32 + low)
  return (BigInt(high) << 32n) | BigInt(low)
}

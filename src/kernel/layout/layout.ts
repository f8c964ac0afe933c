/**
 * Named layouts of the kernel's structs. `layout({flags: u64, pidfd: u64})` computes offsets and
 * size as a C compiler for x86-64 does; values are read from and written to a DataView as plain
 * objects, whose type follows from the layout. All numbers are little endian.
 */
export interface Type<T> {
  /** Bytes. */
  readonly size: number
  readonly align: number
  read(view: DataView, offset: number): T
  write(view: DataView, offset: number, value: T): void
  /** A value of zeroes, for the fields that a caller leaves out. */
  zero(): T
}

/** The value that a type reads and writes. */
export type ValueOf<X> = X extends Type<infer T> ? T : never

type Fields = Readonly<Record<string, Type<unknown>>>
type StructOf<F extends Fields> = { -readonly [K in keyof F]: ValueOf<F[K]> }

/** A struct: a type like others, with its fields' places. */
export interface Layout<F extends Fields> extends Type<StructOf<F>> {
  readonly fields: F
  /** Offset of each field, bytes. */
  readonly offsets: { readonly [K in keyof F]: number }
  /** A new buffer of the struct's size; fields that are left out are zero. */
  encode(value: Partial<StructOf<F>>): Uint8Array<ArrayBuffer>
  /** The struct at the start of some bytes; throws RangeError when they are too few. */
  decode(bytes: Uint8Array, offset?: number): StructOf<F>
}

/** The value of a layout: `StructValue<typeof iovec>`. */
export type StructValue<L> = L extends Layout<infer F> ? StructOf<F> : never

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const int = (
  size: number,
  read: (view: DataView, offset: number) => number,
  write: (view: DataView, offset: number, value: number) => void,
): Type<number> => ({ size, align: size, read, write, zero: () => 0 })

const big = (
  read: (view: DataView, offset: number) => bigint,
  write: (view: DataView, offset: number, value: bigint) => void,
): Type<bigint> => ({ size: 8, align: 8, read, write, zero: () => 0n })

export const u8 = int(
  1,
  (view, at) => view.getUint8(at),
  (view, at, value) => view.setUint8(at, value),
)
export const u16 = int(
  2,
  (view, at) => view.getUint16(at, true),
  (view, at, value) => view.setUint16(at, value, true),
)
export const i16 = int(
  2,
  (view, at) => view.getInt16(at, true),
  (view, at, value) => view.setInt16(at, value, true),
)
export const u32 = int(
  4,
  (view, at) => view.getUint32(at, true),
  (view, at, value) => view.setUint32(at, value, true),
)
export const i32 = int(
  4,
  (view, at) => view.getInt32(at, true),
  (view, at, value) => view.setInt32(at, value, true),
)
export const u64 = big(
  (view, at) => view.getBigUint64(at, true),
  (view, at, value) => view.setBigUint64(at, value, true),
)
export const i64 = big(
  (view, at) => view.getBigInt64(at, true),
  (view, at, value) => view.setBigInt64(at, value, true),
)

/** An address of the task that the struct is for. */
export const pointer = u64

/** A 64-bit number that a 32-bit program's struct holds: aligned to 4 only. */
export const u64Compat: Type<bigint> = { ...u64, align: 4 }
export const i64Compat: Type<bigint> = { ...i64, align: 4 }

/** `length` raw bytes: a copy when read; what is written may be shorter, the rest becomes zero. */
export function bytes(length: number): Type<Uint8Array> {
  return {
    size: length,
    align: 1,
    read: (view, at) =>
      new Uint8Array(view.buffer, view.byteOffset + at, checkRange(view, at, length)).slice(),
    write: (view, at, value) => {
      if (value.length > length) throw new RangeError(`${value.length} bytes for ${length}`)
      const target = new Uint8Array(view.buffer, view.byteOffset + at, checkRange(view, at, length))
      target.fill(0)
      target.set(value)
    },
    zero: () => new Uint8Array(length),
  }
}

/** `count` values of one type; what is written may be shorter, the rest becomes zero. */
export function array<T>(type: Type<T>, count: number): Type<T[]> {
  return {
    size: type.size * count,
    align: type.align,
    read: (view, at) => {
      const values: T[] = []
      for (let i = 0; i < count; i++) values.push(type.read(view, at + i * type.size))
      return values
    },
    write: (view, at, value) => {
      if (value.length > count) throw new RangeError(`${value.length} values for ${count}`)
      for (let i = 0; i < count; i++) type.write(view, at + i * type.size, value[i] ?? type.zero())
    },
    zero: () => Array.from({ length: count }, () => type.zero()),
  }
}

interface LayoutOptions {
  /** `__attribute__((packed))`: no padding, alignment 1. */
  readonly packed?: boolean
  /** Alignment that an attribute asks for beyond that of the fields. */
  readonly align?: number
}

/**
 * A struct from its fields in their order. Offsets are computed when they are first asked for: most
 * layouts are of no use to the job at hand.
 */
export function layout<const F extends Fields>(fields: F, options: LayoutOptions = {}): Layout<F> {
  return new Struct(fields, options)
}

class Struct<F extends Fields> implements Layout<F> {
  readonly fields: F
  readonly #options: LayoutOptions
  #placed: Placed | undefined

  constructor(fields: F, options: LayoutOptions) {
    this.fields = fields
    this.#options = options
  }

  get size(): number {
    return this.#place().size
  }

  get align(): number {
    return this.#place().align
  }

  get offsets(): Layout<F>['offsets'] {
    return this.#place().offsets as Layout<F>['offsets']
  }

  read(view: DataView, at: number): StructOf<F> {
    const value: Record<string, unknown> = {}
    for (const { name, type, offset } of this.#place().parts)
      value[name] = type.read(view, at + offset)
    return value as StructOf<F>
  }

  write(view: DataView, at: number, value: StructOf<F>): void {
    const given: Record<string, unknown> = value
    for (const { name, type, offset } of this.#place().parts)
      type.write(view, at + offset, given[name] ?? type.zero())
  }

  zero(): StructOf<F> {
    const parts = this.#place().parts.map(({ name, type }) => [name, type.zero()])
    return Object.fromEntries(parts) as StructOf<F>
  }

  encode(value: Partial<StructOf<F>>): Uint8Array<ArrayBuffer> {
    const target = new Uint8Array(this.size)
    this.write(viewOf(target), 0, value as StructOf<F>)
    return target
  }

  decode(source: Uint8Array, offset = 0): StructOf<F> {
    return this.read(viewOf(source), offset)
  }

  #place(): Placed {
    this.#placed ??= place(this.fields, this.#options)
    return this.#placed
  }
}

/** Bytes of a type: what `sizeof` gives. */
export const sizeOf = (type: { readonly size: number }): number => type.size

/** A run of structs, as a syscall that fills an array gives it. */
export function decodeAll<T>(type: Type<T>, source: Uint8Array, count?: number): T[] {
  const view = viewOf(source)
  const length = count ?? Math.floor(source.length / type.size)
  return Array.from({ length }, (_, i) => type.read(view, i * type.size))
}

/** The bytes of a run of structs. */
export function encodeAll<T>(type: Type<T>, values: readonly T[]): Uint8Array<ArrayBuffer> {
  const target = new Uint8Array(type.size * values.length)
  const view = viewOf(target)
  for (const [i, value] of values.entries()) type.write(view, i * type.size, value)
  return target
}

interface Placed {
  readonly offsets: Readonly<Record<string, number>>
  readonly parts: readonly {
    readonly name: string
    readonly type: Type<unknown>
    readonly offset: number
  }[]
  readonly size: number
  readonly align: number
}

function place(fields: Fields, options: LayoutOptions): Placed {
  const offsets: Record<string, number> = {}
  const parts: { name: string; type: Type<unknown>; offset: number }[] = []
  let end = 0
  let align = options.align ?? 1
  for (const name of Object.keys(fields)) {
    const type = fields[name]!
    const step = options.packed ? 1 : type.align
    const offset = roundUp(end, step)
    offsets[name] = offset
    parts.push({ name, type, offset })
    end = offset + type.size
    align = Math.max(align, step)
  }
  return { offsets, parts, size: roundUp(end, align), align }
}

const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step

/** A Uint8Array on the view's buffer could reach beyond the view itself. */
function checkRange(view: DataView, at: number, length: number): number {
  if (at < 0 || at + length > view.byteLength)
    throw new RangeError(`bytes ${at}+${length} of ${view.byteLength}`)
  return length
}

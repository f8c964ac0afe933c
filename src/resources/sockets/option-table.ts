import type { Message } from '../../images/message.ts'
import {
  type OwnFields,
  type OwnValue,
  ownFieldsOf,
  withOwnFields,
} from '../../images/own-fields.ts'
import { type Memory, scratch } from '../../kernel/memory.ts'
import { intBytes, tryGetOption, trySetOption } from '../../kernel/socket-option.ts'
import { checked, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'

/** How an option's bytes stand in an image. */
export interface OptionForm {
  /** What getsockopt is asked for, bytes. */
  readonly length: number
  /** From the bytes that the kernel gave, at the start of the memory; what it left out is zero. */
  toImage(given: Memory, length: number): number | boolean | OwnValue
  toKernel(value: unknown): Uint8Array
}

/** An int, as 32 bits without sign. */
export const int: OptionForm = {
  length: 4,
  toImage: ({ view }) => view.getUint32(0, true),
  toKernel: (value) => intBytes(Number(value)),
}

/** An int that is a truth. */
export const flag: OptionForm = {
  length: 4,
  toImage: ({ view }) => view.getUint32(0, true) !== 0,
  toKernel: (value) => intBytes(Number(value)),
}

export const long: OptionForm = {
  length: 8,
  toImage: ({ view }) => view.getBigUint64(0, true),
  toKernel: (value) => {
    const raw = Buffer.alloc(8)
    raw.writeBigUInt64LE(BigInt(value as bigint))
    return raw
  },
}

/** A struct of up to so many bytes, as it is. */
export const struct = (length: number): OptionForm => ({
  length,
  toImage: ({ bytes }, given) => bytes.slice(0, given),
  toKernel: (value) => value as Uint8Array,
})

/** One option of a socket, and where it stands in the entry of images. */
export interface OptionRow<Entry> {
  /** As in man pages and headers: `SO_PRIORITY`. */
  readonly name: string
  readonly level: number
  readonly option: number
  readonly form: OptionForm
  /** Upstream's field, or the number of one of ours. */
  readonly field: (keyof Entry & string) | number
  /** A value that is not written: what every new socket has. */
  readonly fresh?: number | bigint | boolean
}

/** The entry with all options of the rows that the socket has. Only getsockopt is called. */
export function dumpRows<Entry extends Message>(
  fd: LocalFd,
  rows: readonly OptionRow<Entry>[],
  entry: Entry,
): Entry {
  const fields: Record<string, unknown> = {}
  const own = new Map<number, OwnValue>()
  using s = scratch()
  const given = s.takeDirty(Math.max(8, ...rows.map(({ form }) => form.length)))
  const size = s.takeDirty(4)
  for (const { level, option, form, fresh, field } of rows) {
    given.view.setBigUint64(0, 0n)
    size.view.setUint32(0, form.length, true)
    const result = sys('getsockopt', fd, level, option, given.address, size.address)
    if (result < 0) continue
    const value = form.toImage(given, size.view.getUint32(0, true))
    if (isFresh(value, fresh)) continue
    if (typeof field === 'string') fields[field] = value
    else own.set(field, typeof value === 'object' ? value : BigInt(value))
  }
  return withOwnFields({ ...entry, ...fields }, own)
}

/** Zeroes of a struct are what a new socket has, unless its row says that it is always written. */
function isFresh(value: number | boolean | OwnValue, fresh: OptionRow<never>['fresh']): boolean {
  if (fresh === undefined) return false
  return typeof value === 'object' ? value.every((byte) => byte === 0) : value === fresh
}

/**
 * Sets what differs from the value that the socket has already, in the order of the rows: what is as
 * it should be needs no privilege, and keeps what the kernel notes of a value that was set.
 */
export function restoreRows<Entry extends Message>(
  fd: LocalFd,
  rows: readonly OptionRow<Entry>[],
  entry: Entry,
): void {
  const own = ownFieldsOf(entry)
  for (const row of rows) {
    const value = valueIn(row, entry, own)
    if (value !== undefined && value !== null) restoreRow(fd, row, row.form.toKernel(value))
  }
}

function valueIn<Entry>(row: OptionRow<Entry>, entry: Entry, own: OwnFields): unknown {
  return typeof row.field === 'string' ? entry[row.field] : own.get(row.field)
}

function restoreRow<Entry>(fd: LocalFd, row: OptionRow<Entry>, wanted: Uint8Array): void {
  const { level, option, form, name } = row
  const present = tryGetOption(fd, level, option, form.length)
  if (present && Buffer.compare(present, wanted) === 0) return
  checked(trySetOption(fd, level, option, wanted), `setsockopt ${name}`)
}

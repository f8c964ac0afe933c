import { fail } from '../errors/error.ts'
import { type TraceeAddr, traceeAddr } from '../kernel/types.ts'
import { checkLength, wordAt } from './framing.ts'
import type { ImageReader } from './reader.ts'
import { WireError, WireReader, WireWriter, wireType } from './wire.ts'

/** Bits of `pagemap_entry.flags`. */
export const pageFlags = {
  /** The pages are in the parent directory's image. */
  parent: 1,
  /** May be restored lazily. */
  lazy: 2,
  /** The pages are in pages-N. */
  present: 4,
} as const

/**
 * The entries of a pagemap as columns: there may be hundreds of thousands, and an object each costs
 * ten times the time. Unknown fields of an entry are not kept here; `readHeaded` keeps them.
 */
export class PagemapTable {
  /** Addresses in bytes. Multiples of a page are exact in a double up to 2^64. */
  address = new Float64Array(256)
  /** Lengths in pages. */
  pages = new Float64Array(256)
  /** Bits of {@link pageFlags}. */
  flags = new Uint32Array(256)
  #count = 0

  get count(): number {
    return this.#count
  }

  add(address: number, pages: number, flags: number): void {
    const at = this.#count++
    if (at === this.flags.length) this.#grow()
    this.address[at] = address
    this.pages[at] = pages
    this.flags[at] = flags
  }

  /** Address of an entry, as the tracee counts it. */
  addressAt(index: number): TraceeAddr {
    return traceeAddr(this.address[index]!)
  }

  #grow(): void {
    const { address, pages, flags } = this
    const size = flags.length * 2
    this.address = new Float64Array(size)
    this.pages = new Float64Array(size)
    this.flags = new Uint32Array(size)
    this.address.set(address)
    this.pages.set(pages)
    this.flags.set(flags)
  }
}

/** pagemap_entry, in the order in which the fields are written. */
const field = { vaddr: 1, compatPages: 2, inParent: 3, flags: 4, pages: 5 } as const
const two32 = 0x1_0000_0000

/** Read at once; an entry of ours has some 20 bytes, unknown fields included not many more. */
const piece = 1024 * 1024
const longestEntry = 64 * 1024

/** Reads all entries behind the head. */
export function readPagemapTable(reader: ImageReader): PagemapTable {
  const table = new PagemapTable()
  let rest: Uint8Array = new Uint8Array(0)
  while (reader.left > 0) {
    const bytes = reader.take(Math.min(reader.left, piece))
    rest = readEntries(rest.length === 0 ? bytes : Buffer.concat([rest, bytes]), table, reader)
  }
  return table
}

/** All entries that are whole, or must be; what is left of the bytes. */
function readEntries(bytes: Uint8Array, table: PagemapTable, reader: ImageReader): Uint8Array {
  const { file, entries, left: more } = reader
  const wire = new WireReader(bytes)
  try {
    while (wire.pos < bytes.length) {
      const left = bytes.length - wire.pos
      const word = left < 4 ? 0 : wordAt(bytes, wire.pos)
      const isCut = left < 4 || word > left - 4
      if (isCut && more > 0 && word <= longestEntry) return bytes.subarray(wire.pos)
      const length = checkLength(word, left, file, entries + table.count)
      wire.pos += 4
      wire.end = wire.pos + length
      readEntry(wire, table)
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    const reason = `pagemap_entry: ${error.message}`
    fail({ code: 'image', file, entry: entries + table.count, reason })
  }
  return bytes.subarray(bytes.length)
}

/** One entry. Old images have no flags and count in `compat_nr_pages`; new ones leave that at 0. */
function readEntry(reader: WireReader, table: PagemapTable): void {
  let address = -1
  let compat = -1
  let inParent = false
  let flags = -1
  let pages = -1
  while (reader.pos < reader.end) {
    const tag = reader.count()
    const number = tag >>> 3
    if ((tag & 7) !== wireType.varint || number < field.vaddr || number > field.pages) {
      skipUnknown(reader, tag)
      continue
    }
    const low = reader.varint()
    if (number === field.vaddr) address = reader.high * two32 + low
    else if (number === field.compatPages) compat = low
    else if (number === field.inParent) inParent = low !== 0
    else if (number === field.flags) flags = low
    else pages = reader.high * two32 + low
  }
  if (address < 0) throw new WireError('required field vaddr is missing')
  if (compat < 0) throw new WireError('required field compat_nr_pages is missing')
  if (address % 4096 !== 0) throw new WireError(`address ${address} begins no page`)
  if (flags < 0) flags = inParent ? pageFlags.parent : pageFlags.present
  table.add(address, pages < 0 ? compat : pages, flags)
}

function skipUnknown(reader: WireReader, tag: number): void {
  const number = tag >>> 3
  if (number <= field.pages) throw new WireError(`field ${number} has wire type ${tag & 7}`)
  reader.skipValue(tag & 7)
}

/** All entries as they stand in the file, lengths included. As upstream 4.x writes them. */
export function encodePagemapTable(table: PagemapTable): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter(table.count * 20 + 16)
  for (let i = 0; i < table.count; i++) {
    writer.fixed32(0)
    const start = writer.length
    writeEntry(writer, table.address[i]!, table.pages[i]!, table.flags[i]!)
    // An entry has some 20 bytes at most, so the other bytes of its length stay 0.
    writer.bytes[start - 4] = writer.length - start
  }
  return writer.result()
}

function writeEntry(writer: WireWriter, address: number, pages: number, flags: number): void {
  if (address % 4096 !== 0 || pages < 0 || !Number.isSafeInteger(pages)) {
    fail({ code: 'internal', reason: `no pagemap entry: ${address}, ${pages} pages` })
  }
  writer.varint(field.vaddr << 3)
  writer.varint64(address >>> 0, Math.floor(address / two32))
  writer.varint(field.compatPages << 3)
  writer.varint(0)
  writer.varint(field.flags << 3)
  writer.varint(flags)
  writer.varint(field.pages << 3)
  writer.varint64(pages >>> 0, Math.floor(pages / two32))
}

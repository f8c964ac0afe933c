import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { catalogue, type EntryKind, recogniseFile } from '../../src/images/catalogue.ts'
import { decode } from '../../src/images/codec.ts'
import { payloadLength } from '../../src/images/payload.ts'
import type { MessageName } from '../../src/images/schema.ts'

/** A message of an image, with the bytes behind it that are outside protobuf. */
export interface Item {
  readonly name: MessageName
  readonly message: Values
  readonly payload: Uint8Array
}

export type Values = { [field: string]: unknown }

/** An image taken apart; undefined `items`: bytes that nobody knows (pages, tables of tools). */
export interface Image {
  readonly bytes: Uint8Array
  readonly header: Uint8Array
  readonly items: readonly Item[] | undefined
}

/** A directory of images that a dump has written. */
export interface Sample {
  readonly name: string
  readonly directory: string
  readonly images: ReadonlyMap<string, Image>
}

/** Larger files (pages) stay where they are. */
const LARGEST = 256 * 1024

export function readSample(name: string, directory: string): Sample {
  const files = namesIn(directory).filter((file) => lstatSync(join(directory, file)).isFile())
  const images = files
    .filter((file) => statSync(join(directory, file)).size <= LARGEST)
    .map((file) => [file, takeApart(file, readFileSync(join(directory, file)))] as const)
  return { name, directory, images: new Map(images) }
}

/** All that is in it, also in its directories; these come before what they hold. */
export const namesIn = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((one) => {
    if (!one.isDirectory()) return [one.name]
    return [one.name, ...namesIn(join(directory, one.name)).map((name) => join(one.name, name))]
  })

function takeApart(file: string, bytes: Uint8Array): Image {
  const kind = recogniseFile(basename(file))?.kind
  const image = kind && catalogue[kind]
  if (!kind || image?.entry === undefined || image.header === 'raw')
    return { bytes, header: bytes, items: undefined }
  const start = image.header === 'inventory' ? 4 : 8
  const header = bytes.subarray(0, start)
  return { bytes, header, items: itemsOf(kind as EntryKind, bytes, start) }
}

/** As `images/payload.ts` reads them, but whole in memory. */
function itemsOf(kind: EntryKind, bytes: Uint8Array, start: number): Item[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const items: Item[] = []
  const { entry, head } = catalogue[kind]
  let parts = 0
  for (let at = start; at < bytes.length; ) {
    const length = view.getUint32(at, true)
    const name = partOf(kind, items.length, parts) ?? (items.length === 0 && head ? head : entry)
    const message = decode(name, bytes.subarray(at + 4, at + 4 + length)) as unknown as Values
    at += 4 + length
    const behind = bytesBehind(kind, name, message, bytes.length - at)
    items.push({ name, message, payload: bytes.subarray(at, at + behind) })
    at += behind
    if (name === 'ipc_msg_entry') parts = Number(message.qnum)
    else if (name === 'ipc_msg') parts--
  }
  return items
}

function partOf(kind: EntryKind, index: number, parts: number): MessageName | undefined {
  if (kind === 'ipcns-msg' && parts > 0) return 'ipc_msg'
  return kind === 'ghost-file' && index > 0 ? 'ghost_chunk_entry' : undefined
}

function bytesBehind(kind: EntryKind, name: MessageName, message: Values, left: number): number {
  if (name === 'ipc_msg') return Math.ceil(Number(message.msize) / 8) * 8
  if (name === 'ghost_chunk_entry') return Number(message.len)
  if (kind === 'ghost-file') return message.chunks ? 0 : left
  if (kind === 'ipcns-msg') return 0
  return payloadLength(kind, message as never)
}

import { fail } from '../../errors/error.ts'
import { catalogue, type EntryKind, type EntryOf, recogniseFile } from '../../images/catalogue.ts'
import { decode, encode } from '../../images/codec.ts'
import { attempt, closeFd, readAt } from '../../images/descriptor.ts'
import { wordAt } from '../../images/framing.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { payloadLength } from '../../images/payload.ts'
import { ImageReader } from '../../images/reader.ts'
import type { MessageName } from '../../images/schema.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { openSync } from '../../kernel/fs.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import { kindOfMagic, magicName } from './magic-names.ts'
import { messageToJson } from './message.ts'
import { type JsonObject, pretty } from './values.ts'

/** Payload goes through the heap in pieces of so many bytes; three bytes are four letters. */
const PIECE = 3 * 256 * 1024

/**
 * An image as the JSON that crit makes of it, piece by piece: `{magic, entries}`, an entry's payload
 * as `extra`. What JSON cannot say of the bytes (fields out of order, numbers of unusual length)
 * is kept under `$wire`, so that encodeImage gives back the same bytes.
 */
export function* decodeImage(path: string): Generator<string> {
  const { reader, kind, old } = openImage(path)
  using _ = reader
  const version = old ? '  "img_version": 1,\n' : ''
  yield `{\n  "magic": ${JSON.stringify(magicName(kind))},\n${version}  "entries": [`
  let separator = '\n    '
  while (reader.left > 0) {
    yield separator
    separator = ',\n    '
    yield* entryText(kind, reader)
  }
  yield '\n  ]\n}\n'
}

interface Opened {
  readonly reader: ImageReader
  readonly kind: EntryKind
  readonly old: boolean
}

function openImage(path: string): Opened {
  const fd = attempt('open', path, () => localFd(openSync(path, O.RDONLY | O.NONBLOCK)))
  const { kind, old } = kindOf(fd, path)
  return { reader: new ImageReader(kind, fd, path), kind, old }
}

/** By its magic: the file may have been renamed. */
function kindOf(fd: LocalFd, path: string): { readonly kind: EntryKind; readonly old: boolean } {
  try {
    const start = new Uint8Array(8)
    const count = readAt(fd, start, 0, path)
    const found = count < 4 ? undefined : kindOfMagic(wordAt(start, 0), wordAt(start, 4))
    return found ?? fail({ code: 'image', file: path, reason: notAnImage(path) })
  } catch (error) {
    closeFd(fd)
    throw error
  }
}

function notAnImage(path: string): string {
  const known = recogniseFile(path.slice(path.lastIndexOf('/') + 1))
  const isRaw = known !== undefined && catalogue[known.kind].header === 'raw'
  return isRaw
    ? 'its bytes are pages or what another program wrote: there are no entries in it'
    : 'it begins with the magic of no image'
}

function* entryText(kind: EntryKind, reader: ImageReader): Generator<string> {
  const name = messageOf(kind, reader.entries)
  const { message, json } = nextEntry(name, reader)
  if (kind === 'ipcns-sem') yield indented({ ...json, extra: semaphores(message as never, reader) })
  else if (kind === 'ipcns-msg') yield indented({ ...json, extra: queue(message as never, reader) })
  else if (kind === 'tcp-stream')
    yield indented({ ...json, extra: streams(message as never, reader) })
  else {
    const length = lengthBehind(kind, name, message, reader)
    if (length === undefined) yield indented(json)
    else yield* withExtra(json, length, reader)
  }
}

/** The message of an entry by its place; all others than the first are alike. */
export function messageOf(kind: EntryKind, index: number): MessageName {
  const { entry, head } = catalogue[kind]
  if (kind === 'ghost-file') return index === 0 ? entry : 'ghost_chunk_entry'
  return index === 0 ? (head ?? entry) : entry
}

function nextEntry<N extends MessageName>(
  name: N,
  reader: ImageReader,
): { readonly message: Messages[N]; readonly json: JsonObject } {
  const entry = reader.entries
  const bytes = reader.nextBytes()
  const message = decode(name, bytes, { file: reader.file, entry })
  const json = messageToJson(name, message)
  const same = Buffer.compare(encode(name, message as never), bytes) === 0
  return { message, json: same ? json : { ...json, $wire: base64(bytes) } }
}

/** Bytes of plain payload; undefined: entries of this kind have none. */
function lengthBehind(
  kind: EntryKind,
  name: MessageName,
  message: unknown,
  reader: ImageReader,
): number | undefined {
  if (name === 'ghost_chunk_entry') return Number((message as Messages['ghost_chunk_entry']).len)
  if (kind === 'ghost-file') {
    return (message as Messages['ghost_file_entry']).chunks ? undefined : reader.left
  }
  const length = payloadLength(kind, message as EntryOf<EntryKind>)
  return length === 0 && !WITH_PAYLOAD.has(kind) ? undefined : length
}

/** They have `extra` even where it is empty, as crit has it. */
const WITH_PAYLOAD = new Set<EntryKind>(['pipes-data', 'fifo-data', 'sk-queues', 'bpfmap-data'])

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const indented = (json: JsonObject): string => pretty(json, '    ')

/** `extra` is the last member, so its text goes between the last two quotes. */
function* withExtra(json: JsonObject, length: number, reader: ImageReader): Generator<string> {
  const text = indented({ ...json, extra: '' })
  const cut = text.lastIndexOf('""') + 1
  yield text.slice(0, cut)
  const start = reader.position
  reader.skip(length)
  const piece = new Uint8Array(Math.min(PIECE, length))
  for (let done = 0; done < length; done += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, length - done))
    readAt(reader.fd, part, start + done, reader.file)
    yield base64(part)
  }
  yield text.slice(cut)
}

/** Values of a set of semaphores; base64 if the padding behind them is not zero. */
function semaphores({ nsems }: Messages['ipc_sem_entry'], reader: ImageReader) {
  const bytes = reader.take(roundUp(nsems * 2))
  if (bytes.subarray(nsems * 2).some((byte) => byte !== 0)) return base64(bytes)
  return Array.from({ length: nsems }, (_, i) => bytes[2 * i]! | (bytes[2 * i + 1]! << 8))
}

/** Messages of a queue, each followed by its content, with the padding only where that is not zero. */
function queue({ qnum }: Messages['ipc_msg_entry'], reader: ImageReader) {
  const parts: (JsonObject | string)[] = []
  for (let i = 0; i < qnum; i++) {
    if (reader.left === 0) reader.broken(`${qnum} messages announced, ${i} there`)
    const { message, json } = nextEntry('ipc_msg', reader)
    const bytes = reader.take(roundUp(message.msize))
    const padded = bytes.subarray(message.msize).some((byte) => byte !== 0)
    parts.push(json, base64(padded ? bytes : bytes.subarray(0, message.msize)))
  }
  return parts
}

function streams({ inq_len, outq_len }: Messages['tcp_stream_entry'], reader: ImageReader) {
  return { inq: base64(reader.take(inq_len)), outq: base64(reader.take(outq_len)) }
}

const roundUp = (length: number): number => Math.ceil(length / 8) * 8

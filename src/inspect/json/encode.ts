import { fail } from '../../errors/error.ts'
import { catalogue, type EntryKind, type EntryOf } from '../../images/catalogue.ts'
import { decode, encode, type Place } from '../../images/codec.ts'
import { attempt } from '../../images/descriptor.ts'
import { headerBytes, largestEntry, littleEndian } from '../../images/framing.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { payloadLength } from '../../images/payload.ts'
import type { MessageName } from '../../images/schema.ts'
import { readFileSync, tryStatSync } from '../../kernel/fs.ts'
import { messageOf } from './decode.ts'
import { kindOfName } from './magic-names.ts'
import { fromBase64, messageFromJson } from './message.ts'
import { isObject, type Json, type JsonObject, parseJson } from './values.ts'

/**
 * The image that decodeImage (or crit decode) made this JSON of; edited JSON becomes an edited image.
 * `file` is for errors. The bytes come in pieces, none of them before all was found right.
 */
export function encodeImage(text: string, file: string): Uint8Array[] {
  const json = parse(text, file)
  const kind = typeof json.magic === 'string' ? kindOfName(json.magic) : undefined
  if (kind === undefined)
    return broken(file, `no image has the magic ${JSON.stringify(json.magic)}`)
  if (!Array.isArray(json.entries)) return broken(file, 'it has no list of entries')
  const header = headerBytes(catalogue[kind])
  const pieces: Uint8Array[] = [json.img_version === 1 ? header.subarray(-4) : header]
  for (const [entry, value] of (json.entries as readonly Json[]).entries()) {
    pieces.push(...entryBytes(kind, value, { file, entry }))
  }
  return pieces
}

/** Longer texts do not fit into a string of the runtime. */
const LONGEST = 1024 * 1024 * 1024

/** The image that a file of JSON stands for. */
export function encodeFile(path: string): Uint8Array[] {
  const size = attempt('stat', path, () => tryStatSync(path)?.size ?? 0n)
  if (size > LONGEST) broken(path, `${size} bytes of JSON are more than can be read at once`)
  return encodeImage(
    attempt('read', path, () => readFileSync(path, 'utf8')),
    path,
  )
}

const broken = (file: string, reason: string): never => fail({ code: 'image', file, reason })

function parse(text: string, file: string): JsonObject {
  try {
    const json = parseJson(text)
    return isObject(json) ? json : broken(file, 'it is no JSON object')
  } catch (error) {
    // A RangeError: nested so deep that the parser gives up.
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error
    return broken(file, `it is no JSON: ${error.message}`)
  }
}

type At = Required<Place>

function entryBytes(kind: EntryKind, json: Json, at: At): Uint8Array[] {
  const name = messageOf(kind, at.entry)
  const { message, pieces } = framed(name, json, at)
  return [...pieces, ...payloadOf(kind, name, message, isObject(json) ? json.extra : undefined, at)]
}

/** Length and message. The bytes as they were, unless a field was changed since. */
function framed<N extends MessageName>(name: N, json: Json, at: At) {
  const message = messageFromJson(name, json, at)
  const bytes = encode(name, message as never, at)
  if (bytes.length > largestEntry) fail({ code: 'image', ...at, reason: 'the entry is too large' })
  const wire = isObject(json) ? fromBase64(json.$wire) : undefined
  const before = wire && encode(name, decode(name, wire, at) as never, at)
  const kept = before !== undefined && Buffer.compare(before, bytes) === 0 ? wire! : bytes
  return { message, pieces: [Uint8Array.from(littleEndian(kept.length)), kept] }
}

function payloadOf(
  kind: EntryKind,
  name: MessageName,
  message: unknown,
  extra: Json | undefined,
  at: At,
): Uint8Array[] {
  if (kind === 'ipcns-msg') return queue(message as Messages['ipc_msg_entry'], extra, at)
  const bytes = payloadBytes(kind, extra, at)
  const chunk =
    name === 'ghost_chunk_entry' ? (message as Messages['ghost_chunk_entry']) : undefined
  if (kind === 'ghost-file' && chunk === undefined) return [bytes]
  const announced = chunk ? Number(chunk.len) : payloadLength(kind, message as EntryOf<EntryKind>)
  if (announced === bytes.length) return [bytes]
  const reason = `extra has ${bytes.length} bytes where the entry says ${announced}`
  return fail({ code: 'image', ...at, reason })
}

function payloadBytes(kind: EntryKind, extra: Json | undefined, at: At): Uint8Array {
  if (extra === undefined) return new Uint8Array(0)
  if (kind === 'ipcns-sem' && Array.isArray(extra)) return semaphores(extra as readonly Json[], at)
  if (kind === 'tcp-stream' && isObject(extra)) {
    return Buffer.concat([content(extra.inq, at), content(extra.outq, at)])
  }
  return content(extra, at)
}

const content = (value: Json | undefined, at: At): Uint8Array =>
  fromBase64(value) ?? fail({ code: 'image', ...at, reason: 'extra is no base64' })

function semaphores(values: readonly Json[], at: At): Uint8Array {
  const bytes = new Uint8Array(roundUp(values.length * 2))
  for (const [i, value] of values.entries()) {
    if (typeof value !== 'number' || value >>> 0 !== value || value > 0xffff) {
      fail({ code: 'image', ...at, reason: `extra[${i}] is no value of a semaphore` })
    }
    bytes.set([value & 0xff, value >>> 8], i * 2)
  }
  return bytes
}

/** `[message, content, message, content, …]`. */
function queue({ qnum }: Messages['ipc_msg_entry'], extra: Json | undefined, at: At): Uint8Array[] {
  const list = Array.isArray(extra) ? (extra as readonly Json[]) : []
  if (list.length !== qnum * 2) {
    const reason = `extra has ${list.length / 2} messages where the entry says ${qnum}`
    fail({ code: 'image', ...at, reason })
  }
  return Array.from({ length: qnum }, (_, i) => {
    const { message, pieces } = framed('ipc_msg', list[2 * i]!, at)
    const bytes = content(list[2 * i + 1], at)
    const room = roundUp(message.msize)
    if (bytes.length !== message.msize && bytes.length !== room) {
      const reason = `message ${i} has ${bytes.length} bytes, and says ${message.msize}`
      fail({ code: 'image', ...at, reason })
    }
    return [...pieces, bytes, new Uint8Array(room - bytes.length)]
  }).flat()
}

const roundUp = (length: number): number => Math.ceil(length / 8) * 8

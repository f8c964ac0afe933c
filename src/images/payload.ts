import { fail } from '../errors/error.ts'
import { catalogue, type EntryKind, type EntryNameOf, type EntryOf } from './catalogue.ts'
import type { ghost_chunk_entry, ipc_msg, ipc_msg_entry } from './gen/messages.ts'
import type { ImageReader } from './reader.ts'

/** A message inside another entry's payload, with the bytes behind it. */
export interface Part {
  readonly entry: ipc_msg | ghost_chunk_entry
  readonly payload: Uint8Array
}

/** An entry and what follows it outside protobuf. */
export interface WithPayload<E> {
  readonly entry: E
  /** Empty where the image has none. Rounded up as the format wants it. */
  readonly payload: Uint8Array
  /** Messages of a System V queue; pieces of a ghost file with holes. Else empty. */
  readonly parts: readonly Part[]
}

const roundUp = (length: number, to: number): number => Math.ceil(length / to) * to

/** Bytes behind an entry, in images that have such and say how many. */
const lengths: { readonly [K in EntryKind]?: (entry: EntryOf<K>) => number } = {
  'pipes-data': (entry) => entry.bytes,
  'fifo-data': (entry) => entry.bytes,
  'sk-queues': (entry) => entry.length,
  'tcp-stream': (entry) => entry.inq_len + entry.outq_len,
  'ipcns-sem': (entry) => roundUp(entry.nsems * 2, 8),
  'ipcns-shm': (entry) => (entry.in_pagemaps ? 0 : roundUp(Number(entry.size), 4)),
  'bpfmap-data': (entry) => entry.keys_bytes + entry.values_bytes,
}

/** How many bytes follow the entry; 0 for images without payload, and for those made of parts. */
export function payloadLength<K extends EntryKind>(kind: K, entry: EntryOf<K>): number {
  const length = lengths[kind] as ((entry: EntryOf<K>) => number) | undefined
  return length?.(entry) ?? 0
}

/**
 * The next entry with all that belongs to it; undefined at the end of the image. With `skip` the
 * bytes are checked to be there, but not read: payloads are empty.
 */
export function nextWithPayload<K extends EntryKind>(
  kind: K,
  reader: ImageReader,
  how: 'take' | 'skip',
): WithPayload<EntryOf<K>> | undefined {
  const name = catalogue[kind].entry as EntryNameOf<K>
  const entry = reader.next(name) as EntryOf<K> | undefined
  if (entry === undefined) return undefined
  const bytes = (length: number) => (how === 'take' ? reader.take(length) : skipped(reader, length))
  if (kind === 'ipcns-msg') {
    return { entry, payload: none, parts: messages(entry as EntryOf<'ipcns-msg'>, reader, bytes) }
  }
  if (kind !== 'ghost-file') {
    return { entry, payload: bytes(payloadLength(kind, entry)), parts: [] }
  }
  if (!(entry as EntryOf<'ghost-file'>).chunks) {
    return { entry, payload: bytes(reader.left), parts: [] }
  }
  return { entry, payload: none, parts: chunks(reader, bytes) }
}

const none = new Uint8Array(0)
type Bytes = (length: number) => Uint8Array

function skipped(reader: ImageReader, length: number): Uint8Array {
  reader.skip(length)
  return none
}

function messages(queue: ipc_msg_entry, reader: ImageReader, bytes: Bytes): Part[] {
  const parts: Part[] = []
  for (let i = 0; i < queue.qnum; i++) {
    const entry = reader.next('ipc_msg')
    if (entry === undefined) reader.broken(`${queue.qnum} messages announced, ${i} there`)
    parts.push({ entry, payload: bytes(roundUp(entry.msize, 8)) })
  }
  return parts
}

function chunks(reader: ImageReader, bytes: Bytes): Part[] {
  const parts: Part[] = []
  for (;;) {
    const entry = reader.next('ghost_chunk_entry')
    if (entry === undefined) return parts
    parts.push({ entry, payload: bytes(Number(entry.len)) })
  }
}

/** Message of a kind's parts; undefined where it has none. */
export function partName(kind: EntryKind): 'ipc_msg' | 'ghost_chunk_entry' | undefined {
  if (kind === 'ipcns-msg') return 'ipc_msg'
  return kind === 'ghost-file' ? 'ghost_chunk_entry' : undefined
}

/** Refuses to write payload of another length than the entry says: nobody could read it again. */
export function checkPayload<K extends EntryKind>(
  kind: K,
  entry: EntryOf<K>,
  payload: Uint8Array,
  file: string,
): void {
  if (kind === 'ghost-file') return
  const announced = payloadLength(kind, entry)
  if (announced === payload.length) return
  const reason = `${payload.length} bytes of payload where its entry says ${announced}`
  fail({ code: 'internal', reason: `${file}: ${reason}` })
}

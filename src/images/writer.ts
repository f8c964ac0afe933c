import { fail } from '../errors/error.ts'
import type { LocalFd } from '../kernel/types.ts'
import { catalogue, type EntryKind, type EntryNameOf, type EntryOf } from './catalogue.ts'
import { encodeTo, type Init } from './codec.ts'
import { closeFd, writeAll } from './descriptor.ts'
import { headerBytes, largestEntry, littleEndian } from './framing.ts'
import type { Messages } from './gen/messages.ts'
import type { MessageName } from './schema.ts'
import { WireWriter } from './wire.ts'

/** Kept before it is written; small images are written by one call. */
const bufferSize = 1024 * 1024

/**
 * Writes one image, entry by entry. Nothing reaches the file before the buffer is full or
 * {@link close} is called: a caller that is done must close, leaving without it drops what is left.
 */
export class ImageWriter<K extends EntryKind> implements Disposable {
  /** For payload copied by descriptor: {@link flush} first, it then stands at the end. */
  readonly fd: LocalFd
  /** Name for errors. */
  readonly file: string
  readonly #name: EntryNameOf<K>
  readonly #buffer = new WireWriter(4096)
  #entries = 0
  #open = true

  /** Owns the descriptor, of an empty file. */
  constructor(kind: K, fd: LocalFd, file: string) {
    this.fd = fd
    this.file = file
    this.#name = catalogue[kind].entry as EntryNameOf<K>
    this.#buffer.raw(headerBytes(catalogue[kind]))
  }

  /** Adds an entry, and bytes that follow it outside protobuf. */
  entry(message: Init<EntryOf<K>>, payload?: Uint8Array): void {
    this.message(this.#name, message as unknown as Init<Messages[EntryNameOf<K>]>, payload)
  }

  /** As {@link entry}, for the messages that are not the kind's own: a head, a part. */
  message<N extends MessageName>(name: N, message: Init<Messages[N]>, payload?: Uint8Array): void {
    const buffer = this.#buffer
    buffer.fixed32(0)
    const start = buffer.length
    encodeTo(buffer, name, message, { file: this.file, entry: this.#entries })
    this.#setLength(start)
    this.#entries++
    if (payload !== undefined) this.raw(payload)
    else this.#flushIfFull()
  }

  /** Adds bytes outside protobuf. */
  raw(bytes: Uint8Array): void {
    if (bytes.length >= bufferSize) {
      this.flush()
      writeAll(this.fd, bytes, this.file)
      return
    }
    this.#buffer.raw(bytes)
    this.#flushIfFull()
  }

  /** Hands all to the kernel. */
  flush(): void {
    writeAll(this.fd, this.#buffer.result(), this.file)
    this.#buffer.length = 0
  }

  /** Writes what is left and closes the file. */
  close(): void {
    try {
      this.flush()
    } finally {
      this[Symbol.dispose]()
    }
  }

  [Symbol.dispose](): void {
    if (this.#open) closeFd(this.fd)
    this.#open = false
  }

  #setLength(start: number): void {
    const { bytes, length } = this.#buffer
    const size = length - start
    if (size > largestEntry) {
      const reason = `an entry of ${size} bytes, more than ${largestEntry}`
      fail({ code: 'image', file: this.file, entry: this.#entries, reason })
    }
    bytes.set(littleEndian(size), start - 4)
  }

  #flushIfFull(): void {
    if (this.#buffer.length >= bufferSize) this.flush()
  }
}

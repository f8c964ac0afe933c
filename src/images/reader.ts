import { fail } from '../errors/error.ts'
import { isFile } from '../kernel/fs.ts'
import { statFd } from '../kernel/stat.ts'
import type { LocalFd } from '../kernel/types.ts'
import { catalogue, type ImageKind } from './catalogue.ts'
import { decode } from './codec.ts'
import { closeFd, readAt } from './descriptor.ts'
import { checkHeader, checkLength, longestHeader, wordAt } from './framing.ts'
import type { Messages } from './gen/messages.ts'
import type { MessageName } from './schema.ts'

/** Bytes read at once; most images fit whole. */
const window = 256 * 1024
/** More than this never goes through the heap: such payload is for a copy between descriptors. */
const largestPayload = 128 * 1024 * 1024
/** Entries without a byte that an image may have: more are the zeroes of a file with a hole. */
const mostEmpty = 1000

/**
 * Goes through one image from its first entry on. Says where it is, so that large payload can be
 * copied by descriptor: `fd` at `position`, then {@link skip}.
 */
export class ImageReader implements Disposable {
  readonly fd: LocalFd
  /** Name for errors. */
  readonly file: string
  /** Bytes of the file. */
  readonly size: number
  #position: number
  #entries = 0
  #empty = 0
  #open = true
  #window: Uint8Array = new Uint8Array(0)
  #windowAt = 0

  /** Owns the descriptor from now on, even if the header turns out to be wrong. */
  constructor(kind: ImageKind, fd: LocalFd, file: string) {
    this.fd = fd
    this.file = file
    try {
      const stat = statFd(fd)
      if (!isFile(stat)) fail({ code: 'image', file, reason: 'it is not a regular file' })
      this.size = Number(stat.size)
      const start = this.#bytes(0, Math.min(longestHeader, this.size))
      this.#position = checkHeader(catalogue[kind], start, file)
    } catch (error) {
      closeFd(fd)
      throw error
    }
  }

  /** Offset in the file of what comes next. */
  get position(): number {
    return this.#position
  }

  /** Bytes from here to the end of the file. */
  get left(): number {
    return this.size - this.#position
  }

  /** How many entries were read; the number of the next one. */
  get entries(): number {
    return this.#entries
  }

  /** The next entry as this message; undefined at the end of the file. */
  next<N extends MessageName>(name: N): Messages[N] | undefined {
    if (this.left === 0) return undefined
    const bytes = this.nextBytes()
    return decode(name, bytes, { file: this.file, entry: this.#entries - 1 })
  }

  /** The next entry as it is on the wire: a view, valid until the next read. */
  nextBytes(): Uint8Array {
    const { left } = this
    const word = left < 4 ? 0 : wordAt(this.#bytes(this.#position, 4), 0)
    const length = checkLength(word, left, this.file, this.#entries)
    if (length === 0 && ++this.#empty > mostEmpty) this.broken(`${mostEmpty} entries are empty`)
    const bytes = this.#bytes(this.#position + 4, length)
    this.#position += 4 + length
    this.#entries++
    return bytes
  }

  /** A copy of the next bytes, which stand outside protobuf and belong to the entry just read. */
  take(length: number): Uint8Array {
    this.#checkPayload(length)
    if (length > largestPayload) this.broken(`${length} bytes are too many to hold in memory`)
    const bytes = length > window ? this.#read(this.#position, length) : this.#copy(length)
    this.#position += length
    return bytes
  }

  /** Goes past bytes that stand outside protobuf. */
  skip(length: number): void {
    this.#checkPayload(length)
    this.#position += length
  }

  /** Throws the error for a defect of the entry just read. */
  broken(reason: string): never {
    const entry = Math.max(this.#entries - 1, 0)
    return fail({ code: 'image', file: this.file, entry, reason })
  }

  close(): void {
    if (this.#open) closeFd(this.fd)
    this.#open = false
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #checkPayload(length: number): void {
    if (length <= this.left) return
    this.broken(`its payload is cut off: ${length} bytes announced, ${this.left} left`)
  }

  /** Bytes of the file; a view, valid until the next call. The range lies within the file. */
  #bytes(at: number, length: number): Uint8Array {
    const offset = at - this.#windowAt
    if (offset >= 0 && offset + length <= this.#window.length) {
      return this.#window.subarray(offset, offset + length)
    }
    this.#window = this.#read(at, Math.min(Math.max(length, window), this.size - at))
    this.#windowAt = at
    return this.#window.subarray(0, length)
  }

  #copy(length: number): Uint8Array {
    return this.#bytes(this.#position, length).slice()
  }

  #read(at: number, length: number): Uint8Array {
    const buffer = new Uint8Array(length)
    if (readAt(this.fd, buffer, at, this.file) === length) return buffer
    return fail({ code: 'image', file: this.file, reason: 'it became shorter while it was read' })
  }
}

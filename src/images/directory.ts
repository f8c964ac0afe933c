import { fail } from '../errors/error.ts'
import { O } from '../kernel/constants/fcntl.ts'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
} from '../kernel/fs.ts'
import type { LocalFd } from '../kernel/types.ts'
import {
  catalogue,
  type EntryKind,
  type EntryOf,
  fileName,
  type ImageId,
  type ImageKind,
  recogniseFile,
} from './catalogue.ts'
import type { Init } from './codec.ts'
import { attempt, closeFd, errnoOf, openAt, openDirectory } from './descriptor.ts'
import type { Messages } from './gen/messages.ts'
import { encodePagemapTable, type PagemapTable, readPagemapTable } from './pagemap.ts'
import { checkPayload, nextWithPayload, partName, type WithPayload } from './payload.ts'
import { ImageReader } from './reader.ts'
import { ImageWriter } from './writer.ts'

/** Kinds that begin with a `pagemap_head`; they have readers and writers of their own. */
export type PagemapKind = 'pagemap' | 'pagemap-shmem'
export type PlainKind = Exclude<EntryKind, PagemapKind>

/** What an image without pagemap looks like for writing. */
export interface ToWrite<E> {
  readonly entry: Init<E>
  readonly payload?: Uint8Array
  readonly parts?: WithPayload<E>['parts']
}

const enoent = 2

/** A file of the directory; `kind` is undefined for one that is no image. */
export interface Listed {
  readonly name: string
  readonly kind?: ImageKind
  readonly id?: ImageId
}

/**
 * A directory of images, held open: all goes relative to its descriptor. `id` is what the file name
 * has for %u or %x, and is left out for images that are alone of their kind.
 */
export class ImageDirectory implements Disposable {
  readonly fd: LocalFd
  /** For messages alone; where it was when it was opened. */
  readonly path: string
  readonly #written = new Set<string>()
  #open = true

  private constructor(fd: LocalFd, path: string) {
    this.fd = fd
    this.path = path
  }

  /** Opens a directory that is there; a descriptor is opened anew, the caller keeps its own. */
  static open(from: string | LocalFd): ImageDirectory {
    if (typeof from === 'string') return new ImageDirectory(openDirectory(from), from)
    const link = `/proc/self/fd/${from}`
    const path = attempt('readlink', link, () => readlinkSync(link))
    return new ImageDirectory(openDirectory(`${link}/.`), path)
  }

  /** As {@link open}; a directory that is not there is made, 0700. */
  static create(path: string): ImageDirectory {
    if (!existsSync(path)) attempt('mkdir', path, () => mkdirSync(path, { mode: 0o700 }))
    return ImageDirectory.open(path)
  }

  /** Where the image is, for messages. */
  pathOf(kind: ImageKind, id?: ImageId): string {
    return this.#shown(nameOf(kind, id))
  }

  has(kind: ImageKind, id?: ImageId): boolean {
    return existsSync(this.#link(nameOf(kind, id)))
  }

  /** All files, by name. */
  list(): Listed[] {
    const names = attempt('readdir', this.path, () => readdirSync(this.#link('.')))
    return names.toSorted().map((name) => ({ name, ...recogniseFile(name) }))
  }

  /** Ids of all images of a kind, ascending. */
  idsOf(kind: ImageKind): ImageId[] {
    const ids = this.list().flatMap((f) => (f.kind === kind && f.id !== undefined ? [f.id] : []))
    return ids.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  }

  /** The image at its first entry; undefined if it is not there. */
  tryReader(kind: ImageKind, id?: ImageId): ImageReader | undefined {
    const name = nameOf(kind, id)
    try {
      const fd = openAt(this.fd, name, readFlags, this.#shown(name))
      return new ImageReader(kind, fd, this.#shown(name))
    } catch (error) {
      if (errnoOf(error) === enoent) return undefined
      throw error
    }
  }

  /** As {@link tryReader}; CriuError `image` if it is not there. */
  reader(kind: ImageKind, id?: ImageId): ImageReader {
    return this.tryReader(kind, id) ?? missing(this.pathOf(kind, id))
  }

  /** All entries; undefined if there is no such image. */
  tryReadAll<K extends PlainKind>(kind: K, id?: ImageId): EntryOf<K>[] | undefined {
    return this.#tryRead(kind, id, 'skip')?.map(({ entry }) => entry)
  }

  /** All entries; CriuError `image` if there is no such image. */
  readAll<K extends PlainKind>(kind: K, id?: ImageId): EntryOf<K>[] {
    return this.tryReadAll(kind, id) ?? missing(this.pathOf(kind, id))
  }

  /** The entry of an image that has one; undefined if there is no such image. */
  tryReadOne<K extends PlainKind>(kind: K, id?: ImageId): EntryOf<K> | undefined {
    using reader = this.tryReader(kind, id)
    if (reader === undefined) return undefined
    const found = nextWithPayload(kind, reader, 'skip')
    if (found === undefined) fail({ code: 'image', file: reader.file, reason: 'it has no entry' })
    if (reader.left > 0 && reader.nextBytes()) reader.broken('there is more than one entry')
    return found.entry
  }

  /** The entry of an image that has one. */
  readOne<K extends PlainKind>(kind: K, id?: ImageId): EntryOf<K> {
    return this.tryReadOne(kind, id) ?? missing(this.pathOf(kind, id))
  }

  /** All entries with the bytes behind them; undefined if there is no such image. */
  tryReadWithPayload<K extends PlainKind>(
    kind: K,
    id?: ImageId,
  ): WithPayload<EntryOf<K>>[] | undefined {
    return this.#tryRead(kind, id, 'take')
  }

  readWithPayload<K extends PlainKind>(kind: K, id?: ImageId): WithPayload<EntryOf<K>>[] {
    return this.tryReadWithPayload(kind, id) ?? missing(this.pathOf(kind, id))
  }

  /** A pagemap's head and its entries as columns: for dump and restore. */
  readPagemap(
    kind: PagemapKind,
    id: ImageId,
  ): { head: Messages['pagemap_head']; table: PagemapTable } {
    using reader = this.reader(kind, id)
    const head = headOf(reader)
    return { head, table: readPagemapTable(reader) }
  }

  /** A pagemap's head and its entries as messages, unknown fields kept: for tools. */
  readPagemapEntries(
    kind: PagemapKind,
    id: ImageId,
  ): { head: Messages['pagemap_head']; entries: Messages['pagemap_entry'][] } {
    using reader = this.reader(kind, id)
    const head = headOf(reader)
    const entries: Messages['pagemap_entry'][] = []
    for (;;) {
      const entry = reader.next('pagemap_entry')
      if (entry === undefined) return { head, entries }
      entries.push(entry)
    }
  }

  /** Writes a whole image, over what was there. */
  write<K extends PlainKind>(kind: K, entries: readonly Init<EntryOf<K>>[], id?: ImageId): void {
    this.writeWithPayload(
      kind,
      entries.map((entry) => ({ entry })),
      id,
    )
  }

  /** As {@link write}, with the bytes that follow each entry. */
  writeWithPayload<K extends PlainKind>(
    kind: K,
    entries: readonly ToWrite<EntryOf<K>>[],
    id?: ImageId,
  ): void {
    using writer = this.writer(kind, id)
    for (const { entry, payload = new Uint8Array(0), parts = [] } of entries) {
      checkPayload(kind, entry as EntryOf<K>, payload, writer.file)
      writer.entry(entry, payload)
      for (const part of parts) writer.message(partName(kind)!, part.entry as never, part.payload)
    }
    writer.close()
  }

  /** Writes a whole pagemap. */
  writePagemap(
    kind: PagemapKind,
    head: Messages['pagemap_head'],
    table: PagemapTable,
    id: ImageId,
  ): void {
    using writer = this.writer(kind, id)
    writer.message('pagemap_head', head)
    writer.raw(encodePagemapTable(table))
    writer.close()
  }

  /** Begins an image that is written bit by bit. Close it, else it stays incomplete. */
  writer<K extends EntryKind>(kind: K, id?: ImageId): ImageWriter<K> {
    const name = nameOf(kind, id)
    return new ImageWriter(kind, this.#openToWrite(name, 0), this.#shown(name))
  }

  /**
   * A plain descriptor of an image without entries (pages-N, dumps of tools): pages go between
   * descriptors and never through the heap. The caller closes it. With a flag to write, the file is
   * made or emptied.
   */
  openRaw(kind: ImageKind, id: ImageId, access: 'read' | 'write' | 'read-write'): LocalFd {
    const name = nameOf(kind, id)
    if (access !== 'read') return this.#openToWrite(name, access === 'read-write' ? rdwr : 0)
    try {
      return openAt(this.fd, name, O.RDONLY, this.#shown(name))
    } catch (error) {
      return errnoOf(error) === enoent ? missing(this.#shown(name)) : rethrow(error)
    }
  }

  /** The directory of the snapshot before this one, that the link `parent` leads to. */
  openParent(): ImageDirectory | undefined {
    const path = this.#shown('parent')
    try {
      return new ImageDirectory(openAt(this.fd, 'parent', directoryFlags, path), path)
    } catch (error) {
      return errnoOf(error) === enoent ? undefined : rethrow(error)
    }
  }

  /** Makes the link `parent`; `target` as seen from this directory. */
  linkParent(target: string): void {
    const shown = this.#shown('parent')
    this.#written.add('parent')
    attempt('symlink', shown, () => symlinkSync(target, this.#link('parent')))
  }

  /** Removes all that was written through this object: a job that failed leaves nothing behind. */
  removeWritten(): void {
    for (const name of this.#written) {
      try {
        attempt('unlink', this.#shown(name), () => unlinkSync(this.#link(name)))
      } catch (error) {
        if (errnoOf(error) !== enoent) throw error
      }
      this.#written.delete(name)
    }
  }

  close(): void {
    if (this.#open) closeFd(this.fd)
    this.#open = false
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #tryRead<K extends PlainKind>(
    kind: K,
    id: ImageId | undefined,
    payload: 'take' | 'skip',
  ): WithPayload<EntryOf<K>>[] | undefined {
    using reader = this.tryReader(kind, id)
    if (reader === undefined) return undefined
    const found: WithPayload<EntryOf<K>>[] = []
    for (;;) {
      const next = nextWithPayload(kind, reader, payload)
      if (next === undefined) return found
      found.push(next)
    }
  }

  #openToWrite(name: string, access: number): LocalFd {
    const flags = (access || O.WRONLY) | createFlags
    const fd = openAt(this.fd, name, flags, this.#shown(name))
    this.#written.add(name)
    return fd
  }

  #shown(name: string): string {
    return `${this.path}/${name}`
  }

  #link(name: string): string {
    return `/proc/self/fd/${this.fd}/${name}`
  }
}

// Without O_NONBLOCK the open of a FIFO would hang; it changes nothing for files.
const readFlags = O.RDONLY | O.NONBLOCK
const rdwr = O.RDWR
const directoryFlags = O.RDONLY | O.DIRECTORY
const createFlags = O.CREAT | O.TRUNC | O.NOFOLLOW

function nameOf(kind: ImageKind, id: ImageId | undefined): string {
  const numbered = catalogue[kind].file.includes('%')
  if (numbered === (id !== undefined)) return fileName(kind, id)
  return fail({ code: 'internal', reason: `image ${kind}: ${numbered ? 'no id' : 'an id'} given` })
}

function missing(file: string): never {
  return fail({ code: 'image', file, reason: 'there is no such file' })
}

function rethrow(error: unknown): never {
  throw error
}

function headOf(reader: ImageReader): Messages['pagemap_head'] {
  return reader.next('pagemap_head') ?? reader.broken('no pagemap_head')
}

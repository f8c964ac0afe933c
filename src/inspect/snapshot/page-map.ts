import { fail } from '../../errors/error.ts'
import { closeFd } from '../../images/descriptor.ts'
import type { ImageDirectory, PagemapKind } from '../../images/directory.ts'
import { type PagemapTable, pageFlags } from '../../images/pagemap.ts'
import { statFd } from '../../kernel/stat.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { PAGE, type PageRange } from './model.ts'

/** Where the content of some pages stands: in a file, one after the other. */
export interface PageRun {
  /** Address of the first, in bytes. */
  readonly start: number
  readonly pages: number
  /** Where; undefined: in no image (to be served lazily). */
  readonly content:
    | { readonly fd: LocalFd; readonly offset: number; readonly file: string }
    | undefined
}

/** One pagemap, with those of the parents that it refers to. */
export class PageMap {
  readonly #table: PagemapTable
  /** Offset in pages-N of each entry. */
  readonly #offsets: Float64Array
  readonly #pagesId: number
  readonly #directory: ImageDirectory
  readonly #file: string
  readonly #parent: () => PageMap | undefined
  #fd: LocalFd | undefined

  constructor(
    directory: ImageDirectory,
    kind: PagemapKind,
    id: number,
    parent: () => PageMap | undefined,
  ) {
    const { head, table } = directory.readPagemap(kind, id)
    this.#directory = directory
    this.#file = directory.pathOf(kind, id)
    this.#table = table
    this.#pagesId = head.pages_id
    this.#parent = parent
    this.#offsets = new Float64Array(table.count + 1)
    for (let i = 0; i < table.count; i++) {
      this.#checkEntry(i)
      const here = this.#has(i, pageFlags.present) ? table.pages[i]! * PAGE : 0
      this.#offsets[i + 1] = this.#offsets[i]! + here
    }
  }

  /** Addresses rise, and nothing overlaps; all that searches here relies on it. */
  #checkEntry(i: number): void {
    const { address, pages } = this.#table
    const before = i === 0 ? 0 : address[i - 1]! + pages[i - 1]! * PAGE
    if (address[i]! >= before && address[i]! + pages[i]! * PAGE <= 2 ** 64) return
    const at = `0x${address[i]!.toString(16)}`
    // The head is the file's first entry.
    fail({ code: 'image', file: this.#file, entry: i + 1, reason: `pages at ${at} come too early` })
  }

  #has(index: number, flag: number): boolean {
    return (this.#table.flags[index]! & flag) !== 0
  }

  ranges(): PageRange[] {
    const { count, address, pages } = this.#table
    return Array.from({ length: count }, (_, i) => ({
      start: address[i]!,
      pages: pages[i]!,
      where: this.#whereIs(i),
    }))
  }

  #whereIs(i: number): PageRange['where'] {
    if (this.#has(i, pageFlags.present)) return 'images'
    return this.#has(i, pageFlags.parent) ? 'parent' : 'lazy'
  }

  /** All saved pages between two addresses, ascending, those of parents followed to where they are. */
  *runs(start: number, end: number): Generator<PageRun> {
    const { count, address, pages } = this.#table
    for (let i = this.#firstPast(start); i < count && address[i]! < end; i++) {
      const from = Math.max(start, address[i]!)
      const to = Math.min(end, address[i]! + pages[i]! * PAGE)
      if (to <= from) continue
      if (this.#has(i, pageFlags.present)) yield this.#here(i, from, to)
      else if (this.#has(i, pageFlags.parent)) yield* this.#inParent(i, from, to)
      else yield { start: from, pages: (to - from) / PAGE, content: undefined }
    }
  }

  #here(i: number, from: number, to: number): PageRun {
    const offset = this.#offsets[i]! + (from - this.#table.address[i]!)
    const content = { fd: this.#open(), offset, file: this.#pagesFile() }
    return { start: from, pages: (to - from) / PAGE, content }
  }

  *#inParent(i: number, from: number, to: number): Generator<PageRun> {
    let at = from
    for (const run of this.#parent()?.runs(from, to) ?? []) {
      if (run.start !== at) break
      at += run.pages * PAGE
      yield run
    }
    if (at === to) return
    const reason = `page 0x${at.toString(16)} should be in the parent's images, and is not there`
    fail({ code: 'image', file: this.#file, entry: i + 1, reason })
  }

  /** Index of the first entry that ends behind an address. */
  #firstPast(start: number): number {
    const { address, pages, count } = this.#table
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (address[middle]! + pages[middle]! * PAGE <= start) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The file with the pages, which must be as long as the pagemap says. */
  #open(): LocalFd {
    if (this.#fd !== undefined) return this.#fd
    this.#fd = this.#directory.openRaw('pages', this.#pagesId, 'read')
    const needed = this.#offsets[this.#table.count]!
    const { size } = statFd(this.#fd)
    if (Number(size) >= needed) return this.#fd
    const reason = `${size} bytes, where ${this.#file} needs ${needed}`
    return fail({ code: 'image', file: this.#pagesFile(), reason })
  }

  #pagesFile(): string {
    return this.#directory.pathOf('pages', this.#pagesId)
  }

  close(): void {
    if (this.#fd !== undefined) closeFd(this.#fd)
    this.#fd = undefined
  }
}

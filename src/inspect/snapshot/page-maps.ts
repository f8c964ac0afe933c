import { fail } from '../../errors/error.ts'
import { readAt } from '../../images/descriptor.ts'
import type { ImageDirectory, PagemapKind } from '../../images/directory.ts'
import { PAGE } from './model.ts'
import { PageMap } from './page-map.ts'

/** A link to oneself is damage; no chain of real snapshots comes near it. */
const MOST_PARENTS = 1000

/** The pagemaps of a directory, read when they are first asked for, and those of its parents. */
export class PageMaps implements Disposable {
  readonly directory: ImageDirectory
  readonly #depth: number
  readonly #maps = new Map<string, PageMap | undefined>()
  #parent: PageMaps | undefined | null = null

  /** Owns the directory from now on. */
  constructor(directory: ImageDirectory, depth = 0) {
    this.directory = directory
    this.#depth = depth
  }

  /** Undefined: there is no such pagemap. */
  get(kind: PagemapKind, id: number): PageMap | undefined {
    const key = `${kind}-${id}`
    if (!this.#maps.has(key)) {
      const parent = () => this.#parents()?.get(kind, id)
      const there = this.directory.has(kind, id)
      this.#maps.set(key, there ? new PageMap(this.directory, kind, id, parent) : undefined)
    }
    return this.#maps.get(key)
  }

  #parents(): PageMaps | undefined {
    if (this.#parent === null) {
      if (this.#depth >= MOST_PARENTS) {
        const reason = 'it leads to itself, or through too many directories'
        fail({ code: 'image', file: `${this.directory.path}/parent`, reason })
      }
      const directory = this.directory.openParent()
      this.#parent = directory && new PageMaps(directory, this.#depth + 1)
    }
    return this.#parent
  }

  [Symbol.dispose](): void {
    for (const map of this.#maps.values()) map?.close()
    this.#parent?.[Symbol.dispose]()
    this.directory.close()
  }
}

/** A few bytes of saved memory; undefined where not all of it is in images. */
export function readMemory(map: PageMap, start: number, length: number): Uint8Array | undefined {
  const bytes = new Uint8Array(length)
  const first = start - (start % PAGE)
  let at = start
  for (const { start: from, pages, content } of map.runs(first, start + length)) {
    if (from > at || content === undefined) return undefined
    const end = Math.min(start + length, from + pages * PAGE)
    const part = bytes.subarray(at - start, end - start)
    readAt(content.fd, part, content.offset + (at - from), content.file)
    at = end
  }
  return at === start + length ? bytes : undefined
}

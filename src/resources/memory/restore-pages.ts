import { fail } from '../../errors/error.ts'
import type { ImageId } from '../../images/catalogue.ts'
import type { ImageDirectory, PagemapKind } from '../../images/directory.ts'
import { pageFlags } from '../../images/pagemap.ts'
import { statFd } from '../../kernel/stat.ts'
import { close } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'

const PAGE = 4096

/** A file of pages, open. */
export interface PageSource {
  fd: LocalFd
  /** Equal for equal files: pages of a parent process are found again by it. */
  readonly identity: string
  readonly file: string
}

/**
 * Where the content of an address space is: runs of pages, ascending, each in one file. In columns,
 * since there may be hundreds of thousands.
 */
export class PageRuns {
  address = new Float64Array(256)
  /** Length in bytes. */
  length = new Float64Array(256)
  offset = new Float64Array(256)
  source = new Uint16Array(256)
  readonly sources: PageSource[] = []
  count = 0
  /** Sum of all lengths. */
  total = 0

  add(address: number, length: number, offset: number, source: number): void {
    const last = this.count - 1
    this.total += length
    if (
      last >= 0 &&
      this.source[last] === source &&
      this.address[last]! + this.length[last]! === address &&
      this.offset[last]! + this.length[last]! === offset
    ) {
      this.length[last]! += length
      return
    }
    const at = this.count++
    if (at === this.source.length) this.#grow()
    this.address[at] = address
    this.length[at] = length
    this.offset[at] = offset
    this.source[at] = source
  }

  /** Number of the first run that ends behind an address. */
  firstBehind(address: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.address[middle]! + this.length[middle]! > address) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Is there content for any page of a range. */
  touches(start: number, end: number): boolean {
    const at = this.firstBehind(start)
    return at < this.count && this.address[at]! < end
  }

  /** The same runs with a range of addresses left out. */
  without(start: number, end: number): PageRuns {
    const rest = new PageRuns()
    rest.sources.push(...this.sources)
    for (let i = 0; i < this.count; i++) {
      const address = this.address[i]!
      const behind = address + this.length[i]!
      const offset = this.offset[i]!
      const source = this.source[i]!
      const before = Math.min(behind, start) - address
      if (before > 0) rest.add(address, before, offset, source)
      const from = Math.max(address, end)
      if (behind > from) rest.add(from, behind - from, offset + (from - address), source)
    }
    return rest
  }

  /** Number of a source in this table, added where it is new. */
  sourceOf(source: PageSource): number {
    const known = this.sources.findIndex(({ identity }) => identity === source.identity)
    return known >= 0 ? known : this.sources.push(source) - 1
  }

  #grow(): void {
    const wider = (old: Float64Array<ArrayBuffer>) => {
      const made = new Float64Array(old.length * 2)
      made.set(old)
      return made
    }
    this.address = wider(this.address)
    this.length = wider(this.length)
    this.offset = wider(this.offset)
    const source = new Uint16Array(this.source.length * 2)
    source.set(this.source)
    this.source = source
  }
}

/** No real chain of snapshots is as long. */
const DEEPEST = 1000

/**
 * The runs of one pagemap. What stands in the parent directory is looked up there, and so on. Files of
 * pages are opened; `keep` takes each over.
 */
export function readPageRuns(
  images: ImageDirectory,
  kind: PagemapKind,
  id: ImageId,
  keep: (fd: LocalFd) => LocalFd,
): PageRuns {
  const runs = readLevel(images, kind, id, 0)
  for (const source of runs.sources) source.fd = keep(source.fd)
  return runs
}

function readLevel(
  images: ImageDirectory,
  kind: PagemapKind,
  id: ImageId,
  depth: number,
): PageRuns {
  const file = images.pathOf(kind, id)
  if (depth > DEEPEST) fail({ code: 'image', file, reason: 'the chain of parents has no end' })
  const { head, table } = images.readPagemap(kind, id)
  const fd = images.openRaw('pages', head.pages_id, 'read')
  const { dev, ino, size } = statFd(fd)
  const runs = new PageRuns()
  const pages = images.pathOf('pages', head.pages_id)
  const own = runs.sourceOf({ fd, identity: `${dev}:${ino}`, file: pages })
  let parent: PageRuns | undefined
  let offset = 0
  let end = 0
  for (let i = 0; i < table.count; i++) {
    const address = table.address[i]!
    const length = table.pages[i]! * PAGE
    if (address < end || length <= 0)
      fail({ code: 'image', file, entry: i + 1, reason: 'out of order, or without a page' })
    end = address + length
    const flags = table.flags[i]!
    if (flags & pageFlags.present) {
      runs.add(address, length, offset, own)
      offset += length
    } else if (flags & pageFlags.parent) {
      parent ??= readParent(images, kind, id, depth)
      copyRuns(parent, runs, address, end, file)
    } else
      fail({
        code: 'image',
        file,
        entry: i + 1,
        reason: 'its pages are to come from a page server',
        remedy: 'restore lazily with --lazy-pages',
      })
  }
  if (BigInt(offset) > size)
    fail({ code: 'image', file: pages, reason: `${size} bytes where the pagemap needs ${offset}` })
  if (parent) closeUnused(parent, runs)
  return runs
}

function readParent(
  images: ImageDirectory,
  kind: PagemapKind,
  id: ImageId,
  depth: number,
): PageRuns {
  using parent = images.openParent()
  if (!parent)
    fail({
      code: 'image',
      file: images.pathOf(kind, id),
      reason: 'pages are in the parent images, but there is no link «parent»',
    })
  return readLevel(parent!, kind, id, depth + 1)
}

/** Takes over a range of the parent's runs; all of it must be there. */
function copyRuns(from: PageRuns, to: PageRuns, start: number, end: number, file: string): void {
  let at = start
  for (let i = from.firstBehind(start); at < end && i < from.count; i++) {
    const address = from.address[i]!
    if (address > at) break
    const skipped = at - address
    const length = Math.min(from.length[i]! - skipped, end - at)
    const source = to.sourceOf(from.sources[from.source[i]!]!)
    to.add(at, length, from.offset[i]! + skipped, source)
    at += length
  }
  if (at < end) {
    const reason = `the page at ${at.toString(16)} should be in the parent images, and is not`
    fail({ code: 'image', file, reason })
  }
}

function closeUnused(parent: PageRuns, child: PageRuns): void {
  for (const source of parent.sources)
    if (!child.sources.some(({ fd }) => fd === source.fd)) close(source.fd)
}

import { fail } from '../../errors/error.ts'
import { type Memory, type Scratch, scratch } from '../../kernel/memory.ts'
import { statFd } from '../../kernel/stat.ts'
import { checked, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { PAGE } from '../snapshot/model.ts'
import type { PageMap, PageRun } from '../snapshot/page-map.ts'
import type { ChangedRange, PageDifference } from './model.ts'

type Content = NonNullable<PageRun['content']>

/** Pages that are read at once of each side. */
const AT_ONCE = 256
/** Above every address, and a multiple of a page. */
const END = 2 ** 64

/** Compares what two pagemaps have, address by address; content is read where both have some. */
export function comparePages(
  before: PageMap | undefined,
  after: PageMap | undefined,
): PageDifference {
  using s = scratch()
  const compare = new Compare(s)
  const left = new Cursor(before)
  const right = new Cursor(after)
  for (;;) {
    const start = Math.min(left.start, right.start)
    if (start === END) return compare.result()
    const end = Math.min(left.boundary(start), right.boundary(start))
    const pages = (end - start) / PAGE
    const [a, b] = [left.at(start), right.at(start)]
    if (a && b) compare.both(start, pages, a, b)
    else compare.one(start, pages, a ? 'went' : 'came')
    left.advance(end)
    right.advance(end)
  }
}

/** Goes through the saved runs of one side. */
class Cursor {
  readonly #runs: Iterator<PageRun>
  #run: (PageRun & { content: Content }) | undefined
  /** Where we are; END: through. */
  start = END

  constructor(map: PageMap | undefined) {
    this.#runs = (map?.runs(0, END) ?? [].values()) as Iterator<PageRun>
    this.#next()
  }

  #next(): void {
    for (;;) {
      const { value, done } = this.#runs.next()
      this.#run = undefined
      this.start = END
      if (done) return
      const { content } = value
      if (content === undefined) continue
      this.#run = { ...value, content }
      this.start = value.start
      return
    }
  }

  get #end(): number {
    return this.#run === undefined ? END : this.#run.start + this.#run.pages * PAGE
  }

  /** The next address at which this side begins or ends to have pages. */
  boundary(at: number): number {
    return this.start > at ? this.start : this.#end
  }

  at(address: number): Content | undefined {
    if (this.#run === undefined || this.start > address) return undefined
    const { content, start } = this.#run
    return { ...content, offset: content.offset + (address - start) }
  }

  advance(to: number): void {
    if (this.start >= to) return
    if (to >= this.#end) this.#next()
    else this.start = to
  }
}

class Compare {
  readonly #left: Memory
  readonly #right: Memory
  readonly #files = new Map<LocalFd, string>()
  readonly #ranges: { start: number; pages: number; change: ChangedRange['change'] }[] = []
  #same = 0
  #counts = { changed: 0, came: 0, went: 0 }

  constructor(s: Scratch) {
    this.#left = s.takeDirty(AT_ONCE * PAGE)
    this.#right = s.takeDirty(AT_ONCE * PAGE)
  }

  result(): PageDifference {
    return { same: this.#same, ...this.#counts, ranges: this.#ranges }
  }

  one(start: number, pages: number, change: ChangedRange['change']): void {
    this.#counts[change] += pages
    const last = this.#ranges.at(-1)
    const follows = last?.change === change && last.start + last.pages * PAGE === start
    if (follows) last.pages += pages
    else this.#ranges.push({ start, pages, change })
  }

  /** The same place of the same file needs no reading: pages that one side has from its parent. */
  both(start: number, pages: number, a: Content, b: Content): void {
    if (a.offset === b.offset && this.#file(a) === this.#file(b)) {
      this.#same += pages
      return
    }
    for (let done = 0; done < pages; done += AT_ONCE) {
      const count = Math.min(AT_ONCE, pages - done)
      read(this.#left, a, done * PAGE, count * PAGE)
      read(this.#right, b, done * PAGE, count * PAGE)
      this.#compare(start + done * PAGE, count)
    }
  }

  #file({ fd }: Content): string {
    const known = this.#files.get(fd)
    if (known !== undefined) return known
    const { dev, ino } = statFd(fd)
    this.#files.set(fd, `${dev}:${ino}`)
    return `${dev}:${ino}`
  }

  #compare(start: number, pages: number): void {
    if (this.#equal(0, pages)) {
      this.#same += pages
      return
    }
    for (let i = 0; i < pages; i++) {
      if (this.#equal(i, 1)) this.#same++
      else this.one(start + i * PAGE, 1, 'changed')
    }
  }

  #equal(first: number, pages: number): boolean {
    const part = ({ bytes }: Memory) =>
      Buffer.from(bytes.buffer, bytes.byteOffset + first * PAGE, pages * PAGE)
    return part(this.#left).equals(part(this.#right))
  }
}

function read({ address }: Memory, { fd, offset, file }: Content, skip: number, length: number) {
  for (let done = 0; done < length; ) {
    const at = offset + skip + done
    const got = sys('pread64', fd, address + BigInt(done), length - done, at)
    if (checked(got, 'read', { path: file }) === 0) {
      fail({ code: 'image', file, reason: 'the file became shorter while it was read' })
    }
    done += got
  }
}

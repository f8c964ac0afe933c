import { PageRuns } from './restore-pages.ts'
import type { KeptMapping } from './restore-plan.ts'

/** What a task must still read when it begins with some of its parent's mappings. */
export interface Difference {
  /** Content to read. */
  readonly read: PageRuns
  /** Ranges in bytes that the parent has pages in and the child has none. */
  readonly drop: readonly (readonly [number, number])[]
  /** Bytes that are the same in both. */
  readonly same: number
}

/** Compares by place: the same bytes of the same file are the same page. */
export function compare(
  child: PageRuns,
  parent: PageRuns,
  kept: readonly KeptMapping[],
): Difference {
  const read = emptyLike(child)
  const drop: [number, number][] = []
  let same = 0
  let at = 0
  for (const { mapping, end } of kept) {
    const start = Number(mapping.vma.start)
    copyRange(child, read, at, start)
    walk(child, parent, start, Number(end), (from, to, mine, theirs) => {
      if (mine !== undefined && theirs !== undefined && isSame(child, mine, parent, theirs, from))
        same += to - from
      else if (mine !== undefined) addPiece(child, mine, read, from, to)
      else if (theirs !== undefined) drop.push([from, to])
    })
    at = Number(end)
  }
  copyRange(child, read, at, Number.POSITIVE_INFINITY)
  return { read, drop, same }
}

/** What a parent must still read, once its children are cloned, to have its own pages. */
export const ownAfterClones = (own: PageRuns, initial: PageRuns): PageRuns =>
  own === initial ? new PageRuns() : differing(own, initial)

/** Runs of one table where both have pages, and not the same. */
export function differing(mine: PageRuns, theirs: PageRuns): PageRuns {
  const made = emptyLike(mine)
  eachRange(mine, theirs, (from, to, i, j) => {
    if (j !== undefined && !isSame(mine, i, theirs, j, from)) addPiece(mine, i, made, from, to)
  })
  return made
}

/** One table with another's runs in place of its own where both have some. */
export function overlay(under: PageRuns, over: PageRuns): PageRuns {
  const made = emptyLike(under)
  eachRange(under, over, (from, to, below, above) => {
    if (above === undefined) addPiece(under, below, made, from, to)
    else addPiece(over, above, made, from, to)
  })
  return made
}

export function emptyLike({ sources }: PageRuns): PageRuns {
  const made = new PageRuns()
  made.sources.push(...sources)
  return made
}

/** `mine` and `theirs`: numbers of the runs that a piece is in. */
type Visit = (from: number, to: number, mine?: number, theirs?: number) => void

/** Goes through a range in pieces that are within one run (or none) of each of two tables. */
export function walk(
  mine: PageRuns,
  theirs: PageRuns,
  start: number,
  end: number,
  visit: Visit,
): void {
  let i = mine.firstBehind(start)
  let j = theirs.firstBehind(start)
  for (let at = start; at < end; ) {
    const [inMine, edgeMine] = edge(mine, i, at)
    const [inTheirs, edgeTheirs] = edge(theirs, j, at)
    const next = Math.min(end, edgeMine, edgeTheirs)
    if (inMine || inTheirs) visit(at, next, inMine ? i : undefined, inTheirs ? j : undefined)
    at = next
    if (inMine && at === edgeMine) i++
    if (inTheirs && at === edgeTheirs) j++
  }
}

/** All pieces of a table, with the other's run where it has one. */
export function eachRange(
  mine: PageRuns,
  theirs: PageRuns,
  visit: (from: number, to: number, mine: number, theirs?: number) => void,
): void {
  for (let i = 0; i < mine.count; i++) {
    const start = mine.address[i]!
    walk(mine, theirs, start, start + mine.length[i]!, (from, to, _, j) => visit(from, to, i, j))
  }
}

/** Is an address within run `i`, and where does that change next. */
function edge(runs: PageRuns, i: number, at: number): [boolean, number] {
  if (i >= runs.count) return [false, Number.POSITIVE_INFINITY]
  const address = runs.address[i]!
  return address <= at ? [true, address + runs.length[i]!] : [false, address]
}

/** Where the page at an address of run `i` is in its file. */
export const offsetAt = (runs: PageRuns, i: number, at: number): number =>
  runs.offset[i]! + (at - runs.address[i]!)

/** The same bytes of the same file. */
export function isSame(a: PageRuns, i: number, b: PageRuns, j: number, at: number): boolean {
  const one = a.sources[a.source[i]!]!
  const other = b.sources[b.source[j]!]!
  return one.identity === other.identity && offsetAt(a, i, at) === offsetAt(b, j, at)
}

export function addPiece(
  from: PageRuns,
  i: number,
  to: PageRuns,
  start: number,
  end: number,
): void {
  const source = to.sourceOf(from.sources[from.source[i]!]!)
  to.add(start, end - start, offsetAt(from, i, start), source)
}

export function copyRange(from: PageRuns, to: PageRuns, start: number, end: number): void {
  for (let i = from.firstBehind(start); i < from.count && from.address[i]! < end; i++) {
    const first = Math.max(from.address[i]!, start)
    addPiece(from, i, to, first, Math.min(from.address[i]! + from.length[i]!, end))
  }
}

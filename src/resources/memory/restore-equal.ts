import { fail } from '../../errors/error.ts'
import { type Scratch, scratch } from '../../kernel/memory.ts'
import { checked, sys } from '../../kernel/sys.ts'
import {
  addPiece,
  copyRange,
  differing,
  eachRange,
  emptyLike,
  isSame,
  offsetAt,
  overlay,
  walk,
} from './restore-difference.ts'
import type { PageRuns } from './restore-pages.ts'
import type { KeptMapping, SharableMemory } from './restore-plan.ts'

const PAGE = 4096
/** Pages compared at once. */
const WINDOW = 256 * PAGE

/**
 * Finds pages of a task that have the same bytes as its parent's at the same address, and takes the
 * parent's place in the files for them. For images that do not say what was shared. Returns how many
 * bytes were compared.
 */
export function findEqualPages(
  child: SharableMemory,
  parent: PageRuns,
  kept: readonly KeptMapping[],
): number {
  const { runs } = child
  const made = emptyLike(runs)
  let compared = 0
  let at = 0
  for (const { mapping, end } of kept) {
    const start = Number(mapping.vma.start)
    copyRange(runs, made, at, start)
    walk(runs, parent, start, Number(end), (from, to, mine, theirs) => {
      if (mine === undefined) return
      if (theirs !== undefined) compared += to - from
      addEqual(runs, mine, parent, theirs, made, from, to)
    })
    at = Number(end)
  }
  copyRange(runs, made, at, Number.POSITIVE_INFINITY)
  child.runs = made
  return compared
}

/**
 * Pages in which two children agree and their parent differs: it wrote them after the forks. They are
 * put into the parent before the clones, and its own after. Returns the parent's pages for the clones.
 */
export function seedFromChildren(parent: PageRuns, children: readonly SharableMemory[]): PageRuns {
  const [first, second] = children
  if (!first || !second) return parent
  const mine = differing(first.runs, parent)
  const theirs = differing(second.runs, parent)
  const wanted = emptyLike(mine)
  eachRange(mine, theirs, (from, to, i, j) => {
    if (j === undefined) return
    for (const [start, end, equal] of equalPieces(mine, i, theirs, j, from, to))
      if (equal) addPiece(mine, i, wanted, start, end)
  })
  if (wanted.count === 0) return parent
  for (const other of children.slice(1)) takePlaceOf(other, wanted)
  return overlay(parent, wanted)
}

/** A child takes another's place in the files for what has the same bytes. */
function takePlaceOf(child: SharableMemory, wanted: PageRuns): void {
  const { runs } = child
  const made = emptyLike(runs)
  eachRange(runs, wanted, (from, to, i, j) => addEqual(runs, i, wanted, j, made, from, to))
  child.runs = made
}

/** Adds a piece, by the other's place in the files where its pages are equal. */
function addEqual(
  runs: PageRuns,
  i: number,
  other: PageRuns,
  j: number | undefined,
  made: PageRuns,
  from: number,
  to: number,
): void {
  if (j === undefined || isSame(runs, i, other, j, from)) {
    addPiece(runs, i, made, from, to)
    return
  }
  for (const [start, end, equal] of equalPieces(runs, i, other, j, from, to))
    if (equal) addPiece(other, j, made, start, end)
    else addPiece(runs, i, made, start, end)
}

/** Parts a range into pieces that are equal in both files, and others. */
function* equalPieces(
  a: PageRuns,
  i: number,
  b: PageRuns,
  j: number,
  from: number,
  to: number,
): Generator<[start: number, end: number, equal: boolean]> {
  for (let at = from; at < to; at += WINDOW) {
    const length = Math.min(WINDOW, to - at)
    using s = scratch()
    const one = readPiece(s, a, i, at, length)
    const other = readPiece(s, b, j, at, length)
    const isEqual = (page: number) =>
      Buffer.compare(one.subarray(page, page + PAGE), other.subarray(page, page + PAGE)) === 0
    let begun = 0
    let equal = isEqual(0)
    for (let page = PAGE; page < length; page += PAGE) {
      if (isEqual(page) === equal) continue
      yield [at + begun, at + page, equal]
      begun = page
      equal = !equal
    }
    yield [at + begun, at + length, equal]
  }
}

function readPiece(s: Scratch, runs: PageRuns, i: number, at: number, length: number): Uint8Array {
  const { fd, file } = runs.sources[runs.source[i]!]!
  const buffer = s.take(length)
  const offset = offsetAt(runs, i, at)
  const count = sys('pread64', fd, buffer.address, length, offset)
  if (checked(count, 'pread', { path: file }) !== length)
    fail({ code: 'image', file, reason: 'it ends before its last page' })
  return buffer.bytes
}

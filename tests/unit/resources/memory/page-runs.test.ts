import { expect, test } from 'bun:test'
import { localFd } from '../../../../src/kernel/types.ts'
import {
  compare,
  overlay,
  ownAfterClones,
} from '../../../../src/resources/memory/restore-difference.ts'
import type { MappingToMake } from '../../../../src/resources/memory/restore-map.ts'
import { PageRuns } from '../../../../src/resources/memory/restore-pages.ts'
import type { KeptMapping } from '../../../../src/resources/memory/restore-plan.ts'

const PAGE = 4096

/** Runs as `[first page, pages, page in the file]`, all of one file. */
function runs(file: string, ...list: [number, number, number][]): PageRuns {
  const table = new PageRuns()
  table.sources.push({ fd: localFd(0), identity: file, file })
  for (const [at, pages, offset] of list) table.add(at * PAGE, pages * PAGE, offset * PAGE, 0)
  return table
}

const listed = (table: PageRuns): string[] =>
  Array.from({ length: table.count }, (_, i) => {
    const [at, length, offset] = [table.address[i]!, table.length[i]!, table.offset[i]!]
    return `${at / PAGE}+${length / PAGE} ${table.sources[table.source[i]!]!.file}:${offset / PAGE}`
  })

function kept(start: number, end: number): KeptMapping {
  const vma = { start: BigInt(start * PAGE), end: BigInt(end * PAGE) }
  const mapping = { vma } as unknown as MappingToMake
  return { mapping, parents: mapping, end: vma.end, birth: { access: 3, apart: false } }
}

test('runs that lie one behind the other in memory and in the file become one', () => {
  expect(listed(runs('a', [1, 2, 0], [3, 1, 2], [5, 1, 3]))).toEqual(['1+3 a:0', '5+1 a:3'])
})

test('a range can be left out of the middle of a run', () => {
  const rest = runs('a', [1, 9, 0]).without(3 * PAGE, 5 * PAGE)
  expect(listed(rest)).toEqual(['1+2 a:0', '5+5 a:4'])
  expect(rest.touches(3 * PAGE, 5 * PAGE)).toBe(false)
})

test('a child reads what differs and drops what its parent alone has', () => {
  const parent = runs('a', [10, 6, 0])
  const child = runs('a', [5, 1, 20], [10, 2, 0], [12, 1, 21], [14, 1, 4], [30, 1, 22])
  const { read, drop, same } = compare(child, parent, [kept(10, 20)])
  expect(listed(read)).toEqual(['5+1 a:20', '12+1 a:21', '30+1 a:22'])
  expect(drop).toEqual([
    [13 * PAGE, 14 * PAGE],
    [15 * PAGE, 16 * PAGE],
  ])
  expect(same).toBe(3 * PAGE)
})

test('pages of different files are different', () => {
  expect(compare(runs('a', [1, 1, 0]), runs('b', [1, 1, 0]), [kept(0, 9)]).same).toBe(0)
})

test('what children have in common stands over the parent’s, which is read again after', () => {
  const own = runs('a', [1, 4, 0])
  const initial = overlay(own, runs('b', [2, 1, 7]))
  expect(listed(initial)).toEqual(['1+1 a:0', '2+1 b:7', '3+2 a:2'])
  expect(listed(ownAfterClones(own, initial))).toEqual(['2+1 a:1'])
  expect(ownAfterClones(own, own).count).toBe(0)
})

test('hundreds of thousands of runs are found by address', () => {
  const table = runs('a')
  for (let i = 0; i < 200_000; i++) table.add(i * 2 * PAGE, PAGE, i * PAGE, 0)
  expect(table.count).toBe(200_000)
  expect(table.firstBehind(100_001 * PAGE)).toBe(50_001)
})

import { expect, test } from 'bun:test'
import { gapsBetween, planMoves, type WantedFd } from '../../../src/restore/descriptor-moves.ts'

/** What each number holds after the moves, each source holding its own number before. */
function run(wanted: readonly WantedFd[], spare: number): Map<number, number> {
  const table = new Map(wanted.map(({ from }) => [from, from]))
  for (const move of planMoves(wanted, spare)) {
    if (move.do === 'mark') continue
    expect(table.has(move.from)).toBe(true)
    expect(move.to).not.toBe(move.from)
    table.set(move.to, table.get(move.from)!)
  }
  return table
}

const wants = (...pairs: [number, number][]): WantedFd[] =>
  pairs.map(([from, fd]) => ({ from, fd, closeOnExec: false }))

test.each([
  ['apart', wants([10, 1], [11, 2], [10, 3])],
  ['a chain', wants([2, 1], [3, 2], [4, 3])],
  ['a chain the other way', wants([1, 2], [2, 3], [3, 4])],
  ['a circle', wants([1, 2], [2, 3], [3, 1])],
  ['two that change places, and copies of them', wants([1, 2], [2, 1], [1, 5], [2, 6], [1, 7])],
  ['some that stay', wants([1, 1], [2, 2], [1, 3], [3, 4])],
])('%s: each number holds what it is to hold', (_, wanted) => {
  const table = run(wanted, 100)
  for (const { from, fd } of wanted) expect(table.get(fd)).toBe(from)
})

test('at random, many times', () => {
  let state = 7
  const pick = (below: number): number => {
    state = (state * 1103515245 + 12345) % 2 ** 31
    return state % below
  }
  for (let round = 0; round < 500; round++) {
    const size = 1 + pick(12)
    const targets = new Set(Array.from({ length: size }, () => pick(16)))
    const wanted = [...targets].map((fd) => ({ from: pick(16), fd, closeOnExec: pick(2) === 0 }))
    const table = run(wanted, 100)
    for (const { from, fd } of wanted) expect(table.get(fd)).toBe(from)
  }
})

test('what lies between', () => {
  expect(gapsBetween([0, 1, 4, 4, 6], 10)).toEqual([
    [2, 3],
    [5, 5],
    [7, 9],
  ])
  expect(gapsBetween([], 3)).toEqual([[0, 2]])
  expect(gapsBetween([0], 1)).toEqual([])
})

import { expect, test } from 'bun:test'
import { estimate } from '../../../src/dump/outlook.ts'

const seen = {
  processes: 1,
  threads: 1,
  privateBytes: 0,
  sharedBytes: 0,
  lookMillis: 10,
  goesOn: false,
}

test('more processes, threads and memory make larger images', () => {
  const { bytes } = estimate(seen)
  expect(estimate({ ...seen, processes: 2 }).bytes).toBeGreaterThan(bytes)
  expect(estimate({ ...seen, threads: 2 }).bytes).toBeGreaterThan(bytes)
  expect(estimate({ ...seen, privateBytes: 2 ** 20 }).bytes).toBe(bytes + 2 ** 20)
  expect(estimate({ ...seen, sharedBytes: 2 ** 20 }).bytes).toBe(bytes + 2 ** 20)
})

test('the stop: some times the look, and memory by its size', () => {
  expect(estimate(seen).millis).toBe(25)
  expect(estimate({ ...seen, lookMillis: 100 }).millis).toBe(250)
  expect(estimate({ ...seen, privateBytes: 2 ** 30 }).millis).toBe(425)
  expect(estimate({ ...seen, sharedBytes: 2 ** 30 }).millis).toBe(425)
})

test('a tree that is left running does not wait for its own memory, but for what it shares', () => {
  const running = { ...seen, goesOn: true }
  expect(estimate({ ...running, privateBytes: 2 ** 30 }).millis).toBe(65)
  expect(estimate({ ...running, sharedBytes: 2 ** 30 }).millis).toBe(425)
  // Too little to be worth a fork.
  expect(estimate({ ...running, privateBytes: 8 * 2 ** 20 }).millis).toBeCloseTo(28.1, 1)
})

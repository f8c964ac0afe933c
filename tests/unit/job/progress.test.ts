import { expect, test } from 'bun:test'
import { progressText } from '../../../src/cli/progress.ts'
import { Meter, noProgress, type ProgressState } from '../../../src/job/progress.ts'

/** A job whose clock the test moves. */
function job() {
  const told: ProgressState[] = []
  const clock = { now: 1000 }
  const meter = new Meter((state) => told.push(state), {
    delay: 500,
    interval: 100,
    now: () => clock.now,
  })
  const after = (milliseconds: number, bytes = 0) => {
    clock.now += milliseconds
    meter.advance(bytes)
  }
  return { told, meter, after, last: () => told.at(-1)! }
}

test('a job of less than half a second is not told of', () => {
  const { told, meter, after } = job()
  meter.stage('pages')
  meter.expect(1e9)
  after(499, 1e9)
  meter.end()
  after(1000)
  expect(told).toEqual([])
})

test('at most ten reports a second', () => {
  const { told, after } = job()
  for (let i = 0; i < 2000; i++) after(1)
  expect(told).toHaveLength(16)
})

test('a stage without bytes is told by its name alone', () => {
  const { meter, after, last } = job()
  meter.stage('seize')
  after(600)
  expect(last()).toEqual({ stage: 'seize', bytes: 0, total: 0, rate: 0, left: undefined })
})

test('bytes, rate of the last seconds and time left', () => {
  const { meter, after, last } = job()
  meter.stage('pages')
  meter.expect(600)
  meter.advance(0)
  for (let i = 0; i < 10; i++) after(100, 10)
  expect(last()).toMatchObject({ bytes: 100, total: 600 })
  expect(last().rate).toBeGreaterThanOrEqual(100)
  expect(last().left).toBeLessThanOrEqual(5)
  // Then the disk is slower: what was long ago does not count.
  for (let i = 0; i < 60; i++) after(100, 1)
  expect(last().rate).toBeCloseTo(10, 0)
  expect(last().left).toBeCloseTo(44, 0)
})

test('more bytes than were expected are no less than all', () => {
  const { meter, after, last } = job()
  meter.expect(5)
  after(600, 7)
  expect(last()).toMatchObject({ bytes: 7, total: 7, left: undefined })
})

test('nobody to tell: tables are as long as they may be', () => {
  expect(noProgress.grain).toBe(Number.POSITIVE_INFINITY)
})

test.each([
  [{ stage: 'seize', bytes: 0, total: 0, rate: 0, left: undefined }, 'seize'],
  [
    { stage: 'pages', bytes: 1.5 * 2 ** 30, total: 64 * 2 ** 30, rate: 300 * 2 ** 20, left: 213.1 },
    'pages, 1.5 GiB of 64 GiB, 300 MiB/s, 3 min 34 s left',
  ],
  [{ stage: 'place', bytes: 0, total: 999, rate: 0, left: undefined }, 'place, 0 B of 999 B'],
  [
    { stage: 'place', bytes: 1, total: 1 << 20, rate: 1, left: 59 },
    'place, 1 B of 1.0 MiB, 1 B/s, 59 s left',
  ],
] as const)('%j', (state, text) => expect(progressText(state)).toBe(text))

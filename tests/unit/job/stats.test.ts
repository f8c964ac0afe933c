import { expect, test } from 'bun:test'
import { CriuError } from '../../../src/errors/error.ts'
import { startDeadline } from '../../../src/job/deadline.ts'
import { Stats } from '../../../src/job/stats.ts'
import { dumpStatsText, restoreStatsText } from '../../../src/job/stats-text.ts'

test('timers add up in microseconds, counters count', () => {
  let now = 0
  const stats = new Stats(() => now)
  for (const end of [1.5, 4]) {
    stats.start('frozenTime')
    now = end
    stats.stop('frozenTime')
  }
  stats.stop('freezingTime')
  stats.count('pagesWritten')
  stats.count('pagesWritten', 2n ** 33n)
  expect(stats.dumpEntry().dump).toMatchObject({
    frozenTime: 4000,
    freezingTime: 0,
    irmapResolve: 0,
    pagesWritten: 2n ** 33n + 1n,
    shpagesWritten: 0n,
  })
})

test('a time that does not fit stays at the largest', () => {
  const stats = new Stats()
  stats.addMicros('restoreTime', 2 ** 40)
  expect(stats.restoreEntry().restore.restoreTime).toBe(0xffff_ffff)
})

test('a measured function may throw', () => {
  let now = 0
  const stats = new Stats(() => now)
  const thrown = () =>
    stats.measure('memdumpTime', () => {
      now = 2
      throw new Error('no')
    })
  expect(thrown).toThrow('no')
  expect(stats.micros('memdumpTime')).toBe(2000)
})

test('the text for a person is as upstream prints it', () => {
  const stats = new Stats()
  stats.addMicros('frozenTime', 1234)
  stats.count('pagesWritten', 26)
  stats.count('pagesRestored', 3)
  expect(dumpStatsText(stats)).toContain('Frozen time: 1234 us\n')
  expect(dumpStatsText(stats)).toContain('Memory pages written: 26 (0x1a)\n')
  expect(restoreStatsText(stats)).toContain('Pages restored: 3 (0x3)\n')
})

test('a deadline passes; 0 seconds never do', () => {
  let now = 100
  const deadline = startDeadline('collecting the tree', 10, undefined, () => now)
  const never = startDeadline('collecting the tree', 0, undefined, () => now)
  expect(deadline.remaining()).toBe(10)
  deadline.check()
  now = 110
  expect(() => deadline.check()).toThrow(CriuError)
  expect(deadline.remaining()).toBe(0)
  expect(never.remaining()).toBe(Number.POSITIVE_INFINITY)
  never.check()
})

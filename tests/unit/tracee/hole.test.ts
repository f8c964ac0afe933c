import { describe, expect, test } from 'bun:test'
import { readMaps } from '../../../src/kernel/proc/maps.ts'
import { traceeAddr } from '../../../src/kernel/types.ts'
import { findHole } from '../../../src/tracee/hole.ts'

const map = (...pairs: [bigint, bigint][]) =>
  pairs.map(([start, end]) => ({ start: traceeAddr(start), end: traceeAddr(end) }))
const MIB = 1 << 20

describe('a hole', () => {
  test('is in the middle of the widest gap', () => {
    const maps = map(
      [0x10000n, 0x20000n],
      [0x400000n, 0x500000n],
      [0x10_0000_0000n, 0x10_0000_1000n],
    )
    const at = findHole(maps, MIB)
    const middle = (0x500000n + 0x10_0000_0000n) / 2n
    expect(at % 4096n).toBe(0n)
    expect(at).toBeLessThanOrEqual(middle)
    expect(at + BigInt(MIB)).toBeGreaterThan(middle)
  })

  test('of a 32-bit task is below what it has', () => {
    const maps = map(
      [0x8048000n, 0x8050000n],
      [0xf7d00000n, 0xf7f00000n],
      [0xffb00000n, 0xffc00000n],
    )
    expect(findHole(maps, MIB) + BigInt(MIB)).toBeLessThan(1n << 32n)
  })

  test('is never above user memory: vsyscall does not count', () => {
    const maps = map(
      [0x10000n, 0x7fff_ffff_0000n],
      [0xffff_ffff_ff60_0000n, 0xffff_ffff_ff60_1000n],
    )
    expect(() => findHole(maps, MIB)).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ code: 'conflict' }) }),
    )
  })

  test('leaves a page on both sides, or there is none', () => {
    const gap = (size: bigint) => map([0x10000n, 0x20000n], [0x20000n + size, 0x7fff_ffff_f000n])
    expect(() => findHole(gap(BigInt(MIB) + 4096n), MIB)).toThrow()
    const at = findHole(gap(BigInt(MIB) + 8192n), MIB)
    expect(at).toBe(0x21000n)
  })

  test('overlapping entries do no harm', () => {
    const maps = map([0x10000n, 0x9000_0000n], [0x20000n, 0x30000n], [0x9100_0000n, 0x9200_0000n])
    const at = findHole(maps, 0x10000)
    expect(at).toBeGreaterThanOrEqual(0x9000_0000n)
    expect(at + 0x10000n).toBeLessThanOrEqual(0x9100_0000n)
  })

  test('is free in a real process', () => {
    const maps = readMaps('/proc/self')
    const at = findHole(maps, MIB)
    expect(maps.some((m) => m.start < at + BigInt(MIB) && at < m.end)).toBe(false)
  })
})

import { describe, expect, test } from 'bun:test'
import {
  array,
  bytes,
  decodeAll,
  encodeAll,
  i32,
  layout,
  sizeOf,
  u8,
  u16,
  u32,
  u64,
} from '../../../../src/kernel/layout/layout.ts'

describe('layout', () => {
  const inner = layout({ a: u8, b: u64 })
  const outer = layout({ tag: u16, inner, list: array(i32, 2), raw: bytes(3) })

  test('aligns fields and the whole as C does', () => {
    expect(inner.offsets).toEqual({ a: 0, b: 8 })
    expect(outer.offsets).toEqual({ tag: 0, inner: 8, list: 24, raw: 32 })
    expect(sizeOf(outer)).toBe(40)
    expect(layout({ a: u8, b: u64 }, { packed: true }).size).toBe(9)
    expect(layout({ a: u8 }, { align: 32 }).size).toBe(32)
  })

  test('gives back what was written', () => {
    const value = {
      tag: 7,
      inner: { a: 1, b: 2n ** 64n - 1n },
      list: [-1, 5],
      raw: Uint8Array.of(1, 2, 3),
    }
    expect(outer.decode(outer.encode(value))).toEqual(value)
  })

  test('fields that are left out are zero', () => {
    expect(outer.decode(outer.encode({ tag: 3 }))).toEqual({ ...outer.zero(), tag: 3 })
  })

  test('reads runs of structs, at an offset within a larger buffer too', () => {
    const pair = layout({ x: u32, y: u32 })
    const run = encodeAll(pair, [
      { x: 1, y: 2 },
      { x: 3, y: 4 },
    ])
    expect(decodeAll(pair, run.subarray(8))).toEqual([{ x: 3, y: 4 }])
    expect(pair.decode(run, 4)).toEqual({ x: 2, y: 3 })
  })

  test('refuses what does not fit', () => {
    expect(() => outer.encode({ raw: new Uint8Array(4) })).toThrow(RangeError)
    expect(() => outer.encode({ list: [1, 2, 3] })).toThrow(RangeError)
    expect(() => outer.decode(new Uint8Array(39).subarray(0, 34))).toThrow(RangeError)
  })
})

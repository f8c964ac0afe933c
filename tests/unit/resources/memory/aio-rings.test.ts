import { expect, test } from 'bun:test'
import { positionsOf, requestsOf } from '../../../../src/resources/memory/aio-rings.ts'

test('as many requests are asked for as give a ring of the same room', () => {
  // What the kernel does (fs/aio.c): twice as many, two more, what fits in whole pages.
  const room = (requests: number): number => {
    const pages = Math.ceil((32 + 32 * (2 * requests + 2)) / 4096)
    return Math.floor((pages * 4096 - 32) / 32)
  }
  for (const requests of [16, 62, 63, 64, 100, 1000, 65535])
    expect(room(requestsOf(room(requests)))).toBe(room(requests))
})

test('positions are taken modulo the room of the ring', () => {
  const ring = { id: 1, nr: 127, head: 300, tail: 5 } as Parameters<typeof positionsOf>[0]
  expect(positionsOf(ring)).toEqual({ id: 1, nr: 127, head: 46, tail: 5 })
})

import { describe, expect, test } from 'bun:test'
import { SEM, SEMVMX } from '../../../../src/kernel/constants/ipc.ts'
import { sembuf } from '../../../../src/kernel/layout/ipc.ts'
import { encodeOps, ladder, touch } from '../../../../src/resources/ipc/sem-ladder.ts'

const VALUES = [0, 1, 5, 16383, 16384, 20000, SEMVMX - 1, SEMVMX]
const SUMS = [0, 1, -1, 100, -100, 16384, 32767, -32767, 32768, -32768, 65535]

/** As ipc/sem.c does them: the value after each, and what the adjustment changes by. */
function perform(value: number, ops: readonly { op: number; flg: number }[]) {
  const seen = [value]
  let adj = 0
  for (const { op, flg } of ops) {
    seen.push(seen.at(-1)! + op)
    if (flg & SEM.UNDO) adj -= op
  }
  return { seen, adj }
}

describe('a ladder of semaphore operations', () => {
  for (const value of VALUES)
    test(`at ${value} it keeps within the range, ends there and adjusts by what was asked`, () => {
      for (const sum of SUMS) {
        const { seen, adj } = perform(value, ladder(3, value, sum))
        expect(seen.every((one) => one >= 0 && one <= SEMVMX)).toBe(true)
        expect(seen.at(-1)).toBe(value)
        expect(adj + sum).toBe(0)
        expect(seen.length).toBeLessThan(12)
      }
    })

  test('a touch changes nothing', () => {
    for (const value of VALUES) {
      const { seen, adj } = perform(value, touch(0, value))
      expect(seen.every((one) => one >= 0 && one <= SEMVMX)).toBe(true)
      expect([seen.at(-1), adj]).toEqual([value, 0])
    }
  })

  test('operations are encoded as struct sembuf', () => {
    const bytes = encodeOps(ladder(2, 0, 7))
    expect(sembuf.decode(bytes)).toEqual({ num: 2, op: 7, flg: 0o4000 | SEM.UNDO })
    expect(sembuf.decode(bytes, sembuf.size)).toEqual({ num: 2, op: -7, flg: 0o4000 })
  })
})

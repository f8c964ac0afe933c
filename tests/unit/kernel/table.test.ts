import { describe, expect, test } from 'bun:test'
import { RECORD_SIZE } from '../../../src/arch/x86_64/syscall-loop.ts'
import { Syscall } from '../../../src/arch/x86_64/syscalls.ts'
import { Errno } from '../../../src/kernel/errno.ts'
import { scratch } from '../../../src/kernel/memory.ts'
import { runLocally } from '../../../src/kernel/sys.ts'
import { Table } from '../../../src/kernel/table.ts'

/** A table of that many bytes, for the length of `body`. */
function withTable<T>(size: number, body: (table: Table) => T): T {
  using s = scratch()
  return body(new Table(s.take(size)))
}

describe('building', () => {
  test('an empty table has no range', () => {
    withTable(256, (table) => {
      expect(table.count).toBe(0)
      expect(table.range).toEqual({ first: table.base, end: table.base })
      expect(table.failure()).toBeUndefined()
      runLocally(table)
    })
  })

  test('records grow from the start, data from the end', () => {
    withTable(4096, (table) => {
      table.call('getpid')
      const slot = table.space(100)
      expect(table.range.end - table.base).toBe(BigInt(RECORD_SIZE))
      expect(slot.address + 100n).toBeLessThanOrEqual(table.base + 4096n)
      expect(slot.address % 8n).toBe(0n)
      expect(table.room).toBe(Number(slot.address - table.range.end))
    })
  })

  test('data is aligned as asked, and zeroed', () => {
    withTable(4096, (table) => {
      table.memory.bytes.fill(0xff)
      const slot = table.space(10, 64)
      expect((slot.address - table.base) % 64n).toBe(0n)
      expect([...slot.bytes]).toEqual(Array(10).fill(0))
    })
  })

  test('what would overrun is refused, and the table stays usable', () => {
    withTable(2 * RECORD_SIZE + 16, (table) => {
      table.space(16)
      table.call('getpid')
      table.call('getppid')
      expect(() => table.call('gettid')).toThrow(RangeError)
      expect(() => table.space(1)).toThrow(RangeError)
      expect(table.count).toBe(2)
      runLocally(table)
      expect(table.failure()).toBeUndefined()
    })
  })

  test('data cannot run into records', () => {
    withTable(4 * RECORD_SIZE, (table) => {
      for (let i = 0; i < 3; i++) table.call('getpid')
      expect(() => table.space(RECORD_SIZE + 1)).toThrow(RangeError)
      expect(table.space(RECORD_SIZE).address).toBe(table.range.end)
    })
  })

  test('numbers are signed, bigints whole, strings end in a zero', () => {
    withTable(1024, (table) => {
      const text = table.string('a\xff')
      table.attemptNumber(9999, -1, 0x1_0000_0001, 0xffff_ffff_ffff_fff0n, text, -(2 ** 40))
      const { nr, args } = table.record(0)
      expect(nr).toBe(9999)
      expect(args).toEqual([
        0xffff_ffff_ffff_ffffn,
        0x1_0000_0001n,
        0xffff_ffff_ffff_fff0n,
        text.address,
        BigInt.asUintN(64, -(2n ** 40n)),
        0n,
      ])
      expect([...text.bytes]).toEqual([0x61, 0xff, 0])
    })
  })

  test('reset forgets all', () => {
    withTable(1024, (table) => {
      table.call('close', -1)
      table.space(100)
      runLocally(table)
      table.reset()
      expect([table.count, table.room, table.failure()]).toEqual([0, 1024, undefined])
    })
  })
})

describe('running', () => {
  test('results are passed on by reference', () => {
    withTable(1024, (table) => {
      const fd = table.call('eventfd2', 41, 0)
      const into = table.space(8)
      table.call('read', fd, into, 8)
      table.call('close', fd)
      runLocally(table)
      expect(table.failure()).toBeUndefined()
      expect(into.view.getBigUint64(0, true)).toBe(41n)
      // A reference is replaced by what it stood for.
      expect(table.record(1).args[0]).toBe(BigInt(fd.number))
    })
  })

  test('each of the six arguments can be a reference', () => {
    withTable(2048, (table) => {
      const seed = table.call('getpid')
      for (let i = 0; i < 6; i++) {
        const args: (number | typeof seed)[] = [0, 1, 2, 3, 4, 5]
        args[i] = seed
        table.attemptNumber(9999, ...args)
      }
      runLocally(table)
      for (let i = 0; i < 6; i++) {
        const expected = [0n, 1n, 2n, 3n, 4n, 5n]
        expected[i] = BigInt(process.pid)
        expect(table.record(i + 1).args).toEqual(expected)
        expect(table.record(i + 1).result).toBe(BigInt(-Errno.ENOSYS))
      }
    })
  })

  test.each([0, 1, 5, 9])('the failing call is found: %p of 10', (bad) => {
    withTable(2048, (table) => {
      const results = Array.from({ length: 10 }, (_, i) =>
        i === bad ? table.call('close', -7) : table.call('getpid'),
      )
      runLocally(table)
      expect(table.failure()).toEqual({
        index: bad,
        nr: Syscall.close,
        errno: Errno.EBADF,
        args: [BigInt.asUintN(64, -7n), 0n, 0n, 0n, 0n, 0n],
        i386: false,
      })
      results.forEach((result, i) => {
        expect(result.value === undefined).toBe(i > bad)
        expect(result.failed).toBe(i >= bad)
      })
      if (bad < 9) expect(() => results[9]!.number).toThrow()
    })
  })

  test('an attempt that fails ends nothing, at the last place too', () => {
    withTable(1024, (table) => {
      const first = table.attempt('close', -1)
      const pid = table.call('getpid')
      const last = table.attempt('close', -1)
      runLocally(table)
      expect(table.failure()).toBeUndefined()
      expect([first.number, pid.number, last.number]).toEqual([
        -Errno.EBADF,
        process.pid,
        -Errno.EBADF,
      ])
      expect(first.failed).toBe(true)
    })
  })

  test('a large result is no error', () => {
    withTable(1024, (table) => {
      const top = table.call('mmap', 0, 4096, 0, 0x22, -1, 0)
      table.call('munmap', top, 4096)
      runLocally(table)
      expect(top.failed).toBe(false)
      expect(top.value! > 0x1000_0000n).toBe(true)
    })
  })
})

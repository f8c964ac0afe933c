import { expect, test } from 'bun:test'
import { memoryAt, scratch } from '../../../src/kernel/memory.ts'
import { must, open, owned, sys } from '../../../src/kernel/sys.ts'

test('scratch memory is zeroed, aligned, and apart from what was taken before', () => {
  using s = scratch()
  const first = s.take(3)
  const second = s.take(40)
  first.bytes.fill(1)
  expect(second.address % 16n).toBe(0n)
  expect(second.address).toBeGreaterThanOrEqual(first.address + 3n)
  expect([...second.bytes]).toEqual(Array(40).fill(0))
})

test('the end of a scope gives back what it took, and no more', () => {
  using outer = scratch()
  const kept = outer.put(Uint8Array.of(1, 2, 3))
  let inner: bigint
  {
    using s = scratch()
    inner = s.take(1000).address
  }
  expect(outer.take(8).address).toBe(inner as typeof kept.address)
  expect([...kept.bytes]).toEqual([1, 2, 3])
})

test('memory that was used is zeroed when it is taken again', () => {
  {
    using s = scratch()
    s.take(64).bytes.fill(7)
  }
  using s = scratch()
  expect([...s.take(64).bytes]).toEqual(Array(64).fill(0))
})

test('too much is refused', () => {
  using s = scratch()
  expect(() => s.take(1 << 30)).toThrow(RangeError)
  expect(s.take(8).bytes).toHaveLength(8)
})

test('the kernel sees what we write, and we what it writes', () => {
  using s = scratch()
  using file = owned(must('memfd_create', s.string('memory'), 0))
  const out = s.put(Buffer.from('through the kernel'))
  expect(must('write', file.fd, out.address, out.bytes.length)).toBe(18)
  const back = s.take(18)
  expect(must('pread64', file.fd, back.address, 18, 0)).toBe(18)
  expect(Buffer.from(back.bytes).toString()).toBe('through the kernel')
})

test('strings are byte strings with a zero behind', () => {
  using s = scratch()
  const address = s.string('\xff\x80a')
  const memory = memoryAt(address, 4)
  expect([...memory.bytes]).toEqual([0xff, 0x80, 0x61, 0])
})

test('owned descriptors close at the end of their scope', () => {
  let number: number
  {
    using null_ = owned(open('/dev/null', 0))
    number = null_.fd
    expect(sys('fcntl', number, 1)).toBe(1) // F_GETFD: close-on-exec
  }
  expect(sys('fcntl', number, 1)).toBe(-9)
})

test('a call that must succeed tells what failed', () => {
  expect(() => open('/nowhere/at/all', 0)).toThrow(
    expect.objectContaining({
      detail: expect.objectContaining({ code: 'syscall', operation: 'open', errno: 2 }),
    }),
  )
})

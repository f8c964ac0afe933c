import { describe, expect, test } from 'bun:test'
import { sentence } from '../../../../src/errors/sentence.ts'
import { MAP } from '../../../../src/kernel/constants/mman.ts'
import { checkHugePages, hugeSizeBits, hugeSizeOf } from '../../../../src/resources/memory/huge.ts'
import { VMA } from '../../../../src/resources/memory/vma-bits.ts'
import type { RestoreContext } from '../../../../src/resources/restore-model.ts'

const PAGE = 2n << 20n

/** A task with one mapping of so many huge pages. */
function withMapping(pages: bigint, flags: number, status: number): RestoreContext {
  const start = 0x7f0000000000n
  const vma = { start, end: start + pages * PAGE, pgoff: 0n, shmid: 0n, status, flags, prot: 3 }
  return { model: { tasks: [{ mm: { vmas: [vma] } }] } } as unknown as RestoreContext
}

const HUGE = MAP.PRIVATE | MAP.ANONYMOUS | MAP.HUGETLB | MAP.HUGE_2MB
/** More than any machine has. */
const TOO_MANY = 1n << 24n

describe('huge pages', () => {
  test('sizes are the logarithm above the flags', () => {
    expect(hugeSizeBits(2 << 20)).toBe(MAP.HUGE_2MB)
    expect(hugeSizeBits(2 ** 30)).toBe(MAP.HUGE_1GB)
    expect(hugeSizeOf(HUGE)).toBe(2 << 20)
  })

  test('a shortage is told with what is there and where to have more', () => {
    let said = ''
    try {
      checkHugePages(withMapping(TOO_MANY, HUGE, VMA.anonPrivate))
    } catch (error) {
      said = sentence(error)
    }
    expect(said).toMatch(/the tasks need 16777216 huge pages of 2048 kB, and \d+ are free/)
    expect(said).toContain('hugepages-2048kB/nr_hugepages')
  })

  test('what sets nothing aside is not counted', () => {
    checkHugePages(withMapping(TOO_MANY, HUGE | MAP.NORESERVE, VMA.anonPrivate))
    checkHugePages(withMapping(TOO_MANY, MAP.PRIVATE | MAP.ANONYMOUS, VMA.anonPrivate))
    checkHugePages(withMapping(TOO_MANY, MAP.PRIVATE, VMA.filePrivate))
  })
})

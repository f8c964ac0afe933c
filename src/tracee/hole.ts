import { fail } from '../errors/error.ts'
import type { Mapping } from '../kernel/proc/maps.ts'

const PAGE = 4096n
const LOWEST = 0x10000n

/** What can be mapped ends here; above it are the addresses of the kernel. */
const HIGHEST = 1n << 47n

/**
 * The middle of the widest gap between mappings: far from the heap's end and from stacks that grow,
 * and below what the address space of the task ends at (a 32-bit task's gaps are all below 4 GiB).
 * `below`: only addresses below this one.
 */
export function findHole(
  maps: readonly Pick<Mapping, 'start' | 'end'>[],
  size: number,
  below = HIGHEST,
): bigint {
  return (
    tryFindHole(maps, size, below) ??
    fail({ code: 'conflict', reason: `no free ${size} bytes of address space in the task` })
  )
}

export function tryFindHole(
  maps: readonly Pick<Mapping, 'start' | 'end'>[],
  size: number,
  below = HIGHEST,
): bigint | undefined {
  let best = { start: 0n, size: 0n }
  let end = LOWEST
  for (const mapping of maps) {
    if (mapping.start >= HIGHEST) break
    const limit = mapping.start < below ? mapping.start : below
    const gap = limit - end
    if (gap > best.size) best = { start: end, size: gap }
    if (mapping.end > end) end = mapping.end
  }
  if (best.size < BigInt(size) + 2n * PAGE) return undefined
  const middle = best.start + (best.size - BigInt(size)) / 2n
  return middle & ~(PAGE - 1n)
}

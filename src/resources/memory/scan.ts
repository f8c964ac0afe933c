import { PAGE_IS, PAGEMAP } from '../../kernel/constants/ioctl.ts'
import { Errno } from '../../kernel/errno.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, sys } from '../../kernel/sys.ts'

/** A run of pages; addresses in bytes. Below 2^47, so exact as a number. */
export interface PageRun {
  readonly start: number
  readonly end: number
  /** Marked by MADV_GUARD_INSTALL: no content, and a fault is fatal. */
  readonly guard: boolean
}

/** struct pm_scan_arg and struct page_region (linux/fs.h, since 6.7). */
const ARG = {
  size: 0,
  flags: 8,
  start: 16,
  end: 24,
  walkEnd: 32,
  vec: 40,
  vecLen: 48,
  maxPages: 56,
  inverted: 64,
  mask: 72,
  anyOf: 80,
  returned: 88,
  bytes: 96,
}
const REGION_SIZE = 24
const REGIONS = 32768

/**
 * The pages between two addresses that hold content of the task's own (PAGEMAP_SCAN; 1 GiB takes 4
 * to 6 ms): present or swapped, not as the mapped file has them, and not the zero page. `pagemap` is
 * a descriptor of /proc/PID/pagemap. Guards are told apart since Linux 6.15.
 */
export function scanPrivatePages(pagemap: number, start: bigint, end: bigint): PageRun[] {
  const runs: PageRun[] = []
  using s = scratch()
  const arg = s.take(ARG.bytes)
  const regions = s.takeDirty(REGIONS * REGION_SIZE)
  const set = (offset: number, value: bigint | number) =>
    arg.view.setBigUint64(offset, BigInt(value), true)
  set(ARG.size, ARG.bytes)
  set(ARG.end, end)
  set(ARG.vec, regions.address)
  set(ARG.vecLen, REGIONS)
  set(ARG.inverted, PAGE_IS.FILE | PAGE_IS.PFNZERO)
  set(ARG.mask, PAGE_IS.FILE | PAGE_IS.PFNZERO)
  set(ARG.anyOf, PAGE_IS.PRESENT | PAGE_IS.SWAPPED)
  set(ARG.returned, PAGE_IS.GUARD)
  for (let at = start; at < end; at = arg.view.getBigUint64(ARG.walkEnd, true)) {
    set(ARG.start, at)
    let count = sys('ioctl', pagemap, PAGEMAP.SCAN, arg.address)
    if (count === -Errno.EINVAL) {
      set(ARG.returned, 0) // before 6.15 there is no such category
      count = sys('ioctl', pagemap, PAGEMAP.SCAN, arg.address)
    }
    checked(count, 'ioctl(PAGEMAP_SCAN)')
    for (let i = 0; i < count; i++) {
      const base = i * REGION_SIZE
      runs.push({
        start: Number(regions.view.getBigUint64(base, true)),
        end: Number(regions.view.getBigUint64(base + 8, true)),
        guard: (regions.view.getUint32(base + 16, true) & PAGE_IS.GUARD) !== 0,
      })
    }
    // walk_end says where the kernel's own buffer of 512 regions was full for the last time, also of a
    // walk that came to its end behind that (seen on 6.18): only a full vector means that more follows.
    if (count < REGIONS) break
  }
  return runs
}

export { VMA } from '../../images/vma-status.ts'

/** Bits of `vma_entry.madv`: bit n stands for advice n of madvise(2); the flag of smaps beside it. */
export const MADVISE_FLAGS = [
  ['rr', 1],
  ['sr', 2],
  ['dc', 10],
  ['mg', 12],
  ['hg', 14],
  ['nh', 15],
  ['dd', 16],
  ['wf', 18],
] as const

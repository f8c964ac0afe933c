import type { KCMP } from '../kernel/constants/kcmp.ts'
import { sys } from '../kernel/sys.ts'
import type { HostPid } from '../kernel/types.ts'

export type KcmpType = (typeof KCMP)[keyof typeof KCMP]

/**
 * Gives equal kernel objects equal ids. kcmp(2) orders objects, so a new one finds its place among the
 * known ones by halves: n log n comparisons.
 */
export class KcmpIds<K> {
  readonly #compare: (a: K, b: K) => number
  readonly #sorted: { readonly key: K; readonly id: number }[] = []

  /** `compare` as kcmp returns: 0 equal, 1 less, 2 greater. */
  constructor(compare: (a: K, b: K) => number) {
    this.#compare = compare
  }

  /** The id of a known equal object; else it becomes known under the id that `fresh` gives. */
  idOf(key: K, fresh: () => number): { id: number; isNew: boolean } {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      const known = this.#sorted[middle]!
      const order = this.#compare(key, known.key)
      if (order === 0) return { id: known.id, isNew: false }
      if (order === 1) high = middle
      else low = middle + 1
    }
    const id = fresh()
    this.#sorted.splice(low, 0, { key, id })
    return { id, isNew: true }
  }
}

/** Ids of an object that each process has one of: its memory, its descriptor table … */
export function taskIds(type: KcmpType): KcmpIds<HostPid> {
  return new KcmpIds((a, b) => sys('kcmp', a, b, type, 0, 0))
}

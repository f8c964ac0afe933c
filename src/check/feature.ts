import type { CapName } from '../kernel/constants/capability.ts'
import type { Ground } from './ground.ts'

/** How much a feature is needed: the categories of criu(8), and those that are asked by name alone. */
export type Need =
  /** Category 1: nothing works without it. */
  | 'required'
  /** Category 2: only some trees need it. */
  | 'extra'
  /** Category 3. */
  | 'experimental'
  /** Known to upstream's callers, and of no use to this program. */
  | 'named'

/** Something of the kernel, or a privilege, and how it is tried out. */
export interface Feature {
  /** Upstream's name where it has one (`criu check --feature`). */
  readonly name: string
  readonly need: Need
  /** What it is, in the kernel's terms: `clone3 with set_tid`. */
  readonly what: string
  /** What a user cannot do without it: «processes cannot get their pids back». */
  readonly cost: string
  /** What brings it; undefined: what the answer itself suggests. */
  readonly remedy?: string
  /** The capability that it takes, for the answer to a refusal. */
  readonly capability?: CapName
  /**
   * Does the thing, where it disturbs nobody. Throws a CriuError that says how it went wrong, or
   * returns why it is not there.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a probe that came to its end says nothing.
  readonly probe: (ground: Ground) => string | void
}

/** How the trial of a feature went. */
export interface Finding {
  readonly feature: Feature
  /** Why it is missing; undefined: it is there. */
  readonly missing: string | undefined
  /** What can be done about it. */
  readonly remedy: string | undefined
}

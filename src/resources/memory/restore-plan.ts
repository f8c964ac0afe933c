import type { RestoreTask } from '../restore-model.ts'
import type { AioPlan } from './restore-aio.ts'
import type { Difference } from './restore-difference.ts'
import type { MappingToMake } from './restore-map.ts'
import type { PageRuns } from './restore-pages.ts'

/**
 * Memory that a task shares copy-on-write with its parent: the parent's is put in place before the
 * task is cloned, so that the task begins with it, and only what differs is read.
 */
export interface Inheritance {
  readonly kept: readonly KeptMapping[]
  /** Against the parent's pages at the time of the clone. */
  readonly difference: Difference
}

/** A mapping that the task begins with. */
export interface KeptMapping {
  readonly mapping: MappingToMake
  readonly parents: MappingToMake
  /** What both have of it; the task's own may reach further. */
  readonly end: bigint
  /** What the mapping is like when the task is cloned, its parent being half done; set by the plan. */
  birth: MappingState
}

/** What a mapping is like for a while, and must not be in the end. */
export interface MappingState {
  /** PROT_*, wider where content was still to come. */
  readonly access: number
  /** Kept from being joined with its neighbour by a flag of its own. */
  readonly apart: boolean
}

/** A task's mappings and content, as far as sharing goes. */
export interface SharableMemory {
  readonly mappings: readonly MappingToMake[]
  runs: PageRuns
}

/** A task's memory as it will be; all files that it needs are open. */
export interface MemoryPlan extends SharableMemory {
  readonly task: RestoreTask
  /** The image's pages of the vDSO. */
  readonly vdso: PageRuns
  /** Contexts of asynchronous I/O. */
  readonly aio: AioPlan | undefined
  /** The pages that it has until its children are cloned: mostly its own. */
  initial: PageRuns
  /** What it begins with when its parent clones it. */
  inheritance: Inheritance | undefined
}

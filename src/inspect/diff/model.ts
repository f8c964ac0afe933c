import type { Descriptor, Mapping } from '../snapshot/model.ts'

/** What became of the content of one directory of images in another. */
export interface Difference {
  readonly before: Side
  readonly after: Side
  /** Nothing differs: processes, mappings, pages, descriptors. */
  readonly same: boolean
  readonly came: readonly Who[]
  readonly went: readonly Who[]
  /** Processes that are in both, with a difference. */
  readonly changed: readonly ProcessDifference[]
  readonly sharedMemory: readonly SharedDifference[]
}

export interface Side {
  readonly directory: string
  readonly processes: number
  /** Bytes of memory that the images hold, with those of parents; and of all files. */
  readonly saved: number
  readonly size: number
}

export interface Who {
  readonly pid: number
  readonly comm: string
}

export interface ProcessDifference extends Who {
  /** Facts that changed: `state`, `comm`, `cwd`, …, each with both values. */
  readonly facts: readonly FactDifference[]
  readonly threads: { readonly came: readonly number[]; readonly went: readonly number[] }
  readonly mappings: MappingDifference
  readonly pages: PageDifference
  readonly descriptors: DescriptorDifference
}

export interface FactDifference {
  readonly name: string
  readonly before: string
  readonly after: string
}

export interface MappingDifference {
  readonly came: readonly Mapping[]
  readonly went: readonly Mapping[]
  /** They begin at the same address, and end elsewhere, or are of another kind or access. */
  readonly changed: readonly { readonly before: Mapping; readonly after: Mapping }[]
}

/** Counts of pages; a page of which only one side has a copy came or went. */
export interface PageDifference {
  readonly same: number
  readonly changed: number
  readonly came: number
  readonly went: number
  /** Where they are that changed, came or went: ascending, each as long as it can be. */
  readonly ranges: readonly ChangedRange[]
}

export interface ChangedRange {
  readonly start: number
  readonly pages: number
  readonly change: 'changed' | 'came' | 'went'
}

export interface DescriptorDifference {
  readonly came: readonly Descriptor[]
  readonly went: readonly Descriptor[]
  /** `fields`: what differs of the open file: `name`, `pos`, `flags`. */
  readonly changed: readonly {
    readonly fd: number
    readonly before: string
    readonly after: string
    readonly fields: readonly string[]
  }[]
}

export interface SharedDifference {
  readonly id: number
  readonly pages: PageDifference
}

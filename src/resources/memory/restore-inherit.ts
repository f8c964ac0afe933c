import type { Stats } from '../../job/stats.ts'
import { MADV, MAP, PROT } from '../../kernel/constants/mman.ts'
import type { Table } from '../../kernel/table.ts'
import { type NsPid, nsPid } from '../../kernel/types.ts'
import { isCompatRestore } from '../task-abi.ts'
import { compare } from './restore-difference.ts'
import { findEqualPages, seedFromChildren } from './restore-equal.ts'
import type { MappingToMake } from './restore-map.ts'
import type { PageRuns } from './restore-pages.ts'
import type { KeptMapping, MemoryPlan, SharableMemory } from './restore-plan.ts'

const PAGE = 4096

interface Pair {
  readonly child: MemoryPlan
  readonly parent: MemoryPlan
  readonly kept: readonly KeptMapping[]
}

/**
 * Decides for each task what it has from the parent that clones it (`clonedBy`, by pid). Images of
 * ours say which pages were shared; in others they are found by their content.
 */
export function planInheritances(
  plans: ReadonlyMap<NsPid, MemoryPlan>,
  clonedBy: ReadonlyMap<NsPid, NsPid>,
  stats: Stats,
): void {
  const pairs = [...plans.values()].flatMap((child): Pair[] => {
    const parent = plans.get(clonedBy.get(child.task.nsPid) ?? nsPid(0))
    // One of another width begins with an address space of its own, by exec.
    const alike = parent && isCompatRestore(child.task) === isCompatRestore(parent.task)
    const kept = alike ? keptMappings(child, parent) : []
    return parent && kept.length > 0 ? [{ child, parent, kept }] : []
  })
  for (const { child, parent, kept } of pairs)
    if (compare(child.runs, parent.runs, kept).same === 0)
      stats.count('pagesCompared', findEqualPages(child, parent.runs, kept) / PAGE)
  for (const parent of plans.values()) {
    const children = pairs.filter((pair) => pair.parent === parent).map(({ child }) => child)
    parent.initial = seedFromChildren(parent.runs, children)
  }
  for (const { child, parent, kept } of pairs)
    if (compare(child.initial, parent.initial, kept).same > 0)
      child.inheritance = { kept, parent: parent.initial }
}

/** Private mappings of the same object that begin at the same place. */
function keptMappings(child: SharableMemory, parent: SharableMemory): KeptMapping[] {
  const theirs = new Map(parent.mappings.map((mapping) => [mapping.vma.start, mapping]))
  return child.mappings.flatMap((mapping) => {
    const parents = theirs.get(mapping.vma.start)
    if (!parents || !isAlike(mapping, parents)) return []
    const [mine, its] = [mapping.vma.end, parents.vma.end]
    return [{ mapping, parents, end: mine < its ? mine : its }]
  })
}

function isAlike({ vma, fd }: MappingToMake, parents: MappingToMake): boolean {
  const other = parents.vma
  return (
    !(vma.flags & (MAP.SHARED | MAP.HUGETLB)) &&
    vma.flags === other.flags &&
    vma.status === other.status &&
    vma.pgoff === other.pgoff &&
    (vma.madv ?? 0n) === (other.madv ?? 0n) &&
    fd === parents.fd
  )
}

/** The task's own mapping may reach further than its parent's. */
export function addGrowth(table: Table, { mapping: { vma }, end }: KeptMapping): void {
  if (end < vma.end) table.call('mremap', vma.start, end - vma.start, vma.end - vma.start, 0, 0)
}

/** Content comes into what the task (or its parent) must not write in the end. */
export function addAccess(table: Table, kept: KeptMapping, read: PageRuns): void {
  const { start, end } = kept.mapping.vma
  const now = accessAtBirth(kept)
  if (!(now & PROT.WRITE) && read.touches(Number(start), Number(end)))
    table.call('mprotect', start, end - start, now | PROT.WRITE)
}

export function addDrop(table: Table, [from, to]: readonly [number, number]): void {
  table.call('madvise', from, to - from, MADV.DONTNEED)
}

/** What its parent's mapping allows at the time of the clone. */
function accessAtBirth({ parents }: KeptMapping): number {
  return parents.writeFirst ? parents.vma.prot | PROT.WRITE : parents.vma.prot
}

/** How to finish a mapping that the task began with: its protection may be its parent's. */
export function asInherited({ mapping, parents }: KeptMapping): MappingToMake {
  return { ...mapping, writeFirst: true, apart: mapping.apart || parents.apart }
}

import type { Stats } from '../../job/stats.ts'
import { MADV, MAP, PROT } from '../../kernel/constants/mman.ts'
import type { Table } from '../../kernel/table.ts'
import { type NsPid, nsPid } from '../../kernel/types.ts'
import { isCompatRestore } from '../task-abi.ts'
import { compare, ownAfterClones } from './restore-difference.ts'
import { findEqualPages, seedFromChildren } from './restore-equal.ts'
import type { MappingToMake } from './restore-map.ts'
import type { PageRuns } from './restore-pages.ts'
import type { KeptMapping, MappingState, MemoryPlan, SharableMemory } from './restore-plan.ts'

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
  for (const { child, parent, kept } of pairs) {
    const difference = compare(child.initial, parent.initial, kept)
    if (difference.same > 0) child.inheritance = { kept, difference }
  }
  setBirths(pairs)
}

/**
 * What each mapping is like when its task clones others: the task may have it from its own parent, as
 * that one had it then.
 */
function setBirths(pairs: readonly Pair[]): void {
  const inherited = new Map<MappingToMake, { kept: KeptMapping; child: MemoryPlan }>()
  for (const { child } of pairs)
    for (const kept of child.inheritance?.kept ?? []) inherited.set(kept.mapping, { kept, child })
  const stateOf = (mapping: MappingToMake): MappingState => {
    const from = inherited.get(mapping)
    if (!from) return freshState(mapping)
    const { access, apart } = stateOf(from.kept.parents)
    return { access: accessToRead(mapping, access, contentToCome(from.child)), apart }
  }
  for (const { kept } of inherited.values()) kept.birth = stateOf(kept.parents)
}

/** As it is made: restore-map.ts. */
const freshState = ({ vma, writeFirst, apart }: MappingToMake): MappingState => ({
  access: writeFirst ? vma.prot | PROT.WRITE : vma.prot,
  apart,
})

/** What is read into the memory that a task began with: before it clones others, and after. */
export const contentToCome = ({ inheritance, initial, runs }: MemoryPlan): readonly PageRuns[] => [
  inheritance?.difference.read ?? initial,
  ownAfterClones(runs, initial),
]

/** Protection of a mapping that has `now`, while content comes into it. */
function accessToRead({ vma }: MappingToMake, now: number, content: readonly PageRuns[]): number {
  const comes = content.some((runs) => runs.touches(Number(vma.start), Number(vma.end)))
  return comes ? now | PROT.WRITE : now
}

/** Private mappings of the same object that begin at the same place. */
function keptMappings(child: SharableMemory, parent: SharableMemory): KeptMapping[] {
  const theirs = new Map(parent.mappings.map((mapping) => [mapping.vma.start, mapping]))
  return child.mappings.flatMap((mapping) => {
    const parents = theirs.get(mapping.vma.start)
    if (!parents || !isAlike(mapping, parents)) return []
    const [mine, its] = [mapping.vma.end, parents.vma.end]
    return [{ mapping, parents, end: mine < its ? mine : its, birth: freshState(parents) }]
  })
}

function isAlike({ vma, fd }: MappingToMake, parents: MappingToMake): boolean {
  const other = parents.vma
  return (
    !(vma.flags & MAP.SHARED) &&
    // Huge pages do not grow by mremap, and only those of one file were ever shared.
    (!(vma.flags & MAP.HUGETLB) || (vma.end === other.end && vma.shmid === other.shmid)) &&
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
export function addAccess(
  table: Table,
  { mapping, birth }: KeptMapping,
  content: readonly PageRuns[],
): void {
  const { start, end } = mapping.vma
  const access = accessToRead(mapping, birth.access, content)
  if (access !== birth.access) table.call('mprotect', start, end - start, access)
}

export function addDrop(table: Table, [from, to]: readonly [number, number]): void {
  table.call('madvise', from, to - from, MADV.DONTNEED)
}

/** How to finish a mapping that the task began with: its state is that of its birth. */
export function asInherited({ mapping, birth }: KeptMapping): MappingToMake {
  return { ...mapping, writeFirst: true, apart: mapping.apart || birth.apart }
}

import { ImageDirectory } from '../../images/directory.ts'
import { isObject, type Json, type JsonObject } from '../json/values.ts'
import type { Descriptor, Mapping, OpenFile, Process, Snapshot } from '../snapshot/model.ts'
import { PageMaps } from '../snapshot/page-maps.ts'
import { readSnapshot } from '../snapshot/read.ts'
import type {
  DescriptorDifference,
  Difference,
  FactDifference,
  MappingDifference,
  ProcessDifference,
  SharedDifference,
  Side,
  Who,
} from './model.ts'
import { comparePages } from './pages.ts'

interface Opened {
  readonly maps: PageMaps
  readonly snapshot: Snapshot
  readonly files: ReadonlyMap<number, OpenFile>
}

/** Compares two directories of images. Processes are the same where their pids are. */
export function diffImages(before: string, after: string): Difference {
  using first = new PageMaps(ImageDirectory.open(before))
  using second = new PageMaps(ImageDirectory.open(after))
  return compare(opened(first), opened(second))
}

function opened(maps: PageMaps): Opened {
  const snapshot = readSnapshot(maps)
  return { maps, snapshot, files: new Map(snapshot.files.map((file) => [file.id, file])) }
}

function compare(a: Opened, b: Opened): Difference {
  const was = new Map(a.snapshot.processes.map((process) => [process.pid, process]))
  const is = new Set(b.snapshot.processes.map(({ pid }) => pid))
  const came = b.snapshot.processes.filter(({ pid }) => !was.has(pid)).map(who)
  const went = a.snapshot.processes.filter(({ pid }) => !is.has(pid)).map(who)
  const changed = b.snapshot.processes.flatMap((process) => {
    const before = was.get(process.pid)
    return before === undefined ? [] : (processDifference(before, process, a, b) ?? [])
  })
  const sharedMemory = sharedDifferences(a, b)
  const count = came.length + went.length + changed.length + sharedMemory.length
  return {
    before: sideOf(a),
    after: sideOf(b),
    same: count === 0,
    came,
    went,
    changed,
    sharedMemory,
  }
}

const who = ({ pid, comm }: Process): Who => ({ pid, comm })

function sideOf({ snapshot }: Opened): Side {
  const { directory, processes, sharedMemory, images } = snapshot
  const saved =
    processes.reduce((sum, { memory }) => sum + (memory?.saved ?? 0), 0) +
    sharedMemory.reduce((sum, one) => sum + one.saved, 0)
  const size = images.reduce((sum, image) => sum + image.size, 0)
  return { directory, processes: processes.length, saved, size }
}

/** Undefined: there is none. */
function processDifference(
  before: Process,
  after: Process,
  a: Opened,
  b: Opened,
): ProcessDifference | undefined {
  const { pid, comm } = after
  const facts = factDifferences(before, after)
  const threads = {
    came: missingIn(after, before),
    went: missingIn(before, after),
  }
  const mappings = mappingDifference(before.memory?.mappings ?? [], after.memory?.mappings ?? [])
  const pages = comparePages(a.maps.get('pagemap', pid), b.maps.get('pagemap', pid))
  const descriptors = descriptorDifference(before, after, a, b)
  const count = [
    facts,
    threads.came,
    threads.went,
    mappings.came,
    mappings.went,
    mappings.changed,
    pages.ranges,
    descriptors.came,
    descriptors.went,
    descriptors.changed,
  ].reduce((sum, list) => sum + list.length, 0)
  return count === 0 ? undefined : { pid, comm, facts, threads, mappings, pages, descriptors }
}

const missingIn = (one: Process, other: Process): number[] => {
  const there = new Set(other.threads.map(({ tid }) => tid))
  return one.threads.map(({ tid }) => tid).filter((tid) => !there.has(tid))
}

const FACTS = ['ppid', 'pgid', 'sid', 'state', 'comm', 'exe', 'cwd', 'root', 'uid', 'gid'] as const

function factDifferences(before: Process, after: Process): FactDifference[] {
  return FACTS.filter((name) => before[name] !== after[name]).map((name) => ({
    name,
    before: String(before[name] ?? ''),
    after: String(after[name] ?? ''),
  }))
}

function mappingDifference(
  before: readonly Mapping[],
  after: readonly Mapping[],
): MappingDifference {
  const was = new Map(before.map((mapping) => [mapping.start, mapping]))
  const is = new Set(after.map(({ start }) => start))
  return {
    came: after.filter(({ start }) => !was.has(start)),
    went: before.filter(({ start }) => !is.has(start)),
    changed: after.flatMap((mapping) => {
      const old = was.get(mapping.start)
      return old === undefined || alike(old, mapping) ? [] : [{ before: old, after: mapping }]
    }),
  }
}

/** Shared memory is numbered as it turns up: `shmem[1]` of two dumps may be two segments. */
const lastingName = ({ name, kind }: Mapping): string =>
  kind === 'shared' ? name.replace(/\[[0-9a-f]+\]$/, '[]') : name

const alike = (one: Mapping, other: Mapping): boolean =>
  one.end === other.end &&
  one.access === other.access &&
  lastingName(one) === lastingName(other) &&
  one.shared === other.shared &&
  one.offset === other.offset

function descriptorDifference(
  before: Process,
  after: Process,
  a: Opened,
  b: Opened,
): DescriptorDifference {
  const was = new Map(before.descriptors.map((one) => [one.fd, one]))
  const is = new Set(after.descriptors.map(({ fd }) => fd))
  return {
    came: after.descriptors.filter(({ fd }) => !was.has(fd)),
    went: before.descriptors.filter(({ fd }) => !is.has(fd)),
    changed: after.descriptors.flatMap((one) => {
      const old = was.get(one.fd)
      const fields = old === undefined ? [] : changedFields(old, one, a, b)
      return fields.length === 0 ? [] : [{ fd: one.fd, before: old!.name, after: one.name, fields }]
    }),
  }
}

function changedFields(old: Descriptor, now: Descriptor, a: Opened, b: Opened): string[] {
  const outer = (['type', 'name', 'closeOnExec'] as const).filter((name) => old[name] !== now[name])
  if (outer.includes('type')) return outer
  const before = partOf(a.files.get(old.id)?.entry)
  const after = partOf(b.files.get(now.id)?.entry)
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  const inner = [...names].filter(
    (name) =>
      !NAMES_IN_IMAGES.has(name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  )
  return [...outer, ...inner.filter((name) => name !== 'name')]
}

/** Numbers that mean something within one directory only, and each dump gives anew. */
const NAMES_IN_IMAGES = new Set([
  'id',
  'mnt_id',
  'ns_id',
  'regf_id',
  'inode_id',
  'tty_info_id',
  '$unknown',
])

/** What a file entry says of the file itself: the part that its type names. */
function partOf(entry: Json | undefined): JsonObject {
  const parts = isObject(entry) ? Object.values(entry) : []
  return parts.find((value): value is JsonObject => isObject(value)) ?? {}
}

/** By id: anonymous shared memory has no other name, so those of one dump alone are not compared. */
function sharedDifferences(a: Opened, b: Opened): SharedDifference[] {
  const was = new Set(a.snapshot.sharedMemory.map(({ id }) => id))
  return b.snapshot.sharedMemory
    .filter(({ id }) => was.has(id))
    .map(({ id }) => ({
      id,
      pages: comparePages(a.maps.get('pagemap-shmem', id), b.maps.get('pagemap-shmem', id)),
    }))
    .filter(({ pages }) => pages.ranges.length > 0)
}

import type { Init } from '../../images/codec.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { IORING_OFF, IORING_SETUP } from '../../kernel/constants/io-uring.ts'
import { pause } from '../../kernel/pause.ts'
import { readFdInfo } from '../../kernel/proc/fdinfo.ts'
import { tryReadProcLink } from '../../kernel/proc/read.ts'
import type { FileId } from '../../kernel/types.ts'
import type { DumpContext, DumpTask, FdProbe } from '../dump-model.ts'
import { ownerOf } from '../files/owner.ts'
import { refuseFile } from '../files/refuse.ts'
import { isCompatDump } from '../task-abi.ts'
import { escaped, type UringInfo, uringInfoOf } from './info.ts'
import { findBufferGroup, traitsOf, type UringTraits } from './probe.ts'
import { type Geometry, geometryOf, type Shape, shapeOf, tryMap } from './region.ts'

export type UringEntry = Init<Messages['criuts_uring']>

/** A ring, and what must wait until all descriptors are known. */
export interface FoundRing {
  readonly entry: UringEntry
  readonly probe: FdProbe
  readonly info: UringInfo
  /** As far as we are told ourselves. */
  readonly traits: UringTraits
  /** What its one thread was told; undefined: not asked, or not there. */
  answers?: UringAnswers
}

export interface UringAnswers {
  readonly traits: UringTraits
  readonly bufferGroup: number | undefined
}

const found = new WeakMap<DumpContext, FoundRing[]>()

/** All rings of a dump. */
export function ringsOf(dump: DumpContext): FoundRing[] {
  const rings = found.get(dump) ?? []
  found.set(dump, rings)
  return rings
}

/** Requests of files complete soon, without the stopped task. */
const LONGEST_WAIT_MS = 1000

/** Undefined: refused. */
export function tryDumpRing(probe: FdProbe, id: FileId, dump: DumpContext): FoundRing | undefined {
  const info = quietInfo(probe)
  const refuse = (what: string, remedy = CLOSE): undefined => {
    refuseFile(dump, probe, `io_uring ${what}`, remedy)
    return undefined
  }
  if (!info) return refuse('on a kernel that tells too little of it', 'dump on Linux 6.1 or later')
  const traits = traitsOf(probe.local)
  const why = whyRefused(probe, info, traits)
  if (why) return refuse(why, WAIT)
  const shape = shapeOf(probe.local, info.sqEntries, info.cqEntries)
  if (!shape) return refuse('whose memory is laid out in a way that is not known')
  const geometry = geometryOf(shape)
  using rings = tryMap(probe.local, IORING_OFF.SQ_RING, geometry.ringsSize)
  using sqes = tryMap(probe.local, IORING_OFF.SQES, geometry.sqesSize)
  if (!rings || !sqes) return refuse('whose memory cannot be read')
  const memory = {
    rings: rings.bytes.slice(0, geometry.ringsSize),
    sqes: sqes.bytes.slice(0, geometry.sqesSize),
  }
  if (looksWider(memory, shape, geometry, info))
    return refuse('with larger entries (CQE32, SQE128)')
  completeArray(memory, geometry, info)
  const entry = {
    id,
    flags: probe.flags,
    fown: ownerOf(probe, dump),
    inode: probe.stat.ino,
    setup: traits.setup | shape.flags,
    sq_entries: shape.sqEntries,
    cq_entries: shape.cqEntries,
    cq_head: info.cqHead,
    cq_tail: info.cqTail,
    ...memory,
    owner: probe.task.nsPid,
  }
  return { entry, probe, info, traits }
}

const CLOSE = 'let the program close it first'
const WAIT = 'let the program wait for its requests, or close it first'

/** As soon as all that was submitted has completed, or nothing more comes. */
function quietInfo({ local }: FdProbe): UringInfo | undefined {
  for (let ms = 0; ; ms++) {
    const info = uringInfoOf(readFdInfo('/proc/self', local))
    if (!info || info.sqHead === info.cqTail || info.polls > 0 || ms >= LONGEST_WAIT_MS) return info
    pause(1000)
  }
}

function whyRefused(probe: FdProbe, info: UringInfo, traits: UringTraits): string | undefined {
  if (traits.setup & IORING_SETUP.NO_MMAP) return 'in memory of the program (IORING_SETUP_NO_MMAP)'
  if (info.hasThread) return 'with a thread of the kernel (IORING_SETUP_SQPOLL)'
  if (info.hasNapi) return 'that polls the network (IORING_REGISTER_NAPI)'
  if (isCompatDump(probe.task)) return 'of a program of 32 bits'
  if (info.polls > 0) return `with ${info.polls} requests that wait for files to become ready`
  if (info.overflown > 0) return `with ${info.overflown} completions that did not fit into it`
  // A request has one completion each; more (multishot) or none (IOSQE_CQE_SKIP_SUCCESS) look alike.
  const missing = (info.sqHead - info.cqTail) | 0
  if (missing > 0) return `with ${missing} requests under way, or that complete without a word`
  if (missing < 0) return `with ${-missing} more completions than requests`
  if (traits.isOthers) return undefined
  return whyRefusedBy({ traits, bufferGroup: findBufferGroup(probe.local) })
}

/** What only a thread that may use the ring is told. */
export function whyRefusedBy({ traits, bufferGroup }: UringAnswers): string | undefined {
  if (traits.setup & IORING_SETUP.IOPOLL) return 'that polls devices (IORING_SETUP_IOPOLL)'
  if (traits.isRestricted) return 'with restrictions (IORING_REGISTER_RESTRICTIONS)'
  if (bufferGroup !== undefined) return `with buffers that it chooses from (group ${bufferGroup})`
  return undefined
}

interface RingMemory {
  readonly rings: Uint8Array
  readonly sqes: Uint8Array
}

/**
 * Small rings with larger entries have no more pages. Then what was written last tells: of two entries
 * that begin where one of the larger does, the second is empty.
 */
function looksWider(
  { rings, sqes }: RingMemory,
  { flags, sqEntries, cqEntries }: Shape,
  { cqes }: Geometry,
  { cqTail }: UringInfo,
): boolean {
  const skips = (bytes: Uint8Array, size: number, count: number): boolean => {
    const used = Math.min(count, cqTail)
    const isEmpty = (n: number) => bytes.subarray(n * size, (n + 1) * size).every((b) => b === 0)
    return used >= 3 && isEmpty(1) && !isEmpty(2)
  }
  const narrow = (flag: number): boolean => (flags & flag) === 0
  return (
    (narrow(IORING_SETUP.CQE32) && skips(rings.subarray(cqes), 16, cqEntries)) ||
    (narrow(IORING_SETUP.SQE128) && skips(sqes, 64, sqEntries))
  )
}

/**
 * Where the array of indices is empty, there may be none (NO_SQARRAY), which small rings do not show. An
 * array in which each entry names itself serves such a program just as well, and one that has not used
 * its array yet. A program with an array that only ever used its first entry is told by the others.
 */
function completeArray({ rings, sqes }: RingMemory, { array }: Geometry, info: UringInfo): void {
  if (array === undefined || rings.subarray(array).some((byte) => byte !== 0)) return
  const usesFirstAlone = info.sqHead > 1 && sqes.subarray(64).every((byte) => byte === 0)
  if (usesFirstAlone) return
  const view = new DataView(rings.buffer, rings.byteOffset + array)
  for (let i = 0; i < info.sqEntries; i++) view.setUint32(4 * i, i, true)
}

/** Once all descriptors are known: who has it mapped, and which files are registered with it. */
export function finishRing(ring: FoundRing, dump: DumpContext): void {
  const { entry, info, probe, traits } = ring
  const owner = holdersOf(ring, dump).find(({ task }) => maps(task, entry.inode))
  const files = registeredFiles(info, dump)
  if (typeof files === 'string') {
    const what = `io_uring with a registered file that is no descriptor of its own (${files})`
    refuseFile(dump, probe, what, UNREGISTER)
    return
  }
  Object.assign(entry, {
    owner: (owner ?? probe).task.nsPid,
    files_count: info.filesCount,
    files,
    buffers: info.buffers.map((buffer) => buffer ?? { address: 0n, length: 0 }),
  })
  const why = noteEventfd(ring, traits, dump)
  if (why) refuseFile(dump, probe, `io_uring ${why}`, UNREGISTER)
}

export const UNREGISTER = 'let the program unregister it'

/** The kernel tells that there is an eventfd, and not which: the only one of the tasks. */
export function noteEventfd(
  ring: FoundRing,
  { hasEventfd }: UringTraits,
  dump: DumpContext,
): string | undefined {
  if (!hasEventfd) return undefined
  const [first, ...others] = eventfdsOf(ring, dump)
  if (first === undefined || others.length > 0)
    return `with an eventfd, of which the kernel does not tell which of ${first === undefined ? 0 : 1 + others.length}`
  ring.entry.eventfd = first
  return undefined
}

/** Descriptors of a ring in all tasks. */
export const holdersOf = ({ entry }: FoundRing, dump: DumpContext): FdProbe[] =>
  dump.files.descriptors.filter(({ id }) => id === entry.id).map(({ probe }) => probe)

const maps = (task: DumpTask, inode: bigint): boolean =>
  task.maps.some((mapping) => isUringMapping(mapping) && mapping.inode === inode)

export const isUringMapping = ({ path }: DumpTask['maps'][number]): boolean =>
  path === 'anon_inode:[io_uring]'

/** The kernel tells their paths: each must lead to one file of the tree. Else the path that does not. */
function registeredFiles(
  { files }: UringInfo,
  dump: DumpContext,
): { slot: number; id: FileId }[] | string {
  if (files.length === 0) return []
  const byPath = new Map<string, Set<FileId>>()
  for (const { probe, id } of dump.files.descriptors) {
    const path = escaped(tryReadProcLink(`/proc/self/fd/${probe.local}`) ?? '')
    byPath.set(path, (byPath.get(path) ?? new Set()).add(id))
  }
  const found = files.map(({ slot, path }) => ({ slot, path, ids: [...(byPath.get(path) ?? [])] }))
  const unknown = found.find(({ ids }) => ids.length !== 1)
  return unknown?.path ?? found.map(({ slot, ids }) => ({ slot, id: ids[0]! }))
}

function eventfdsOf(ring: FoundRing, dump: DumpContext): FileId[] {
  const tasks = new Set(holdersOf(ring, dump).map(({ task }) => task))
  const found = dump.files.descriptors.filter(
    ({ probe: { task, link } }) =>
      tasks.has(task) && link.kind === 'anon' && link.name === 'eventfd',
  )
  return [...new Set(found.map(({ id }) => id))]
}

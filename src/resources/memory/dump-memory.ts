import type { Init } from '../../images/codec.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { PagemapTable, pageFlags } from '../../images/pagemap.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { RLIMIT } from '../../kernel/constants/resource.ts'
import { readSync, writeSync } from '../../kernel/fs.ts'
import { auxWords } from '../../kernel/proc/auxv.ts'
import { readLimits } from '../../kernel/proc/limits.ts'
import type { SmapsMapping } from '../../kernel/proc/maps.ts'
import { readProcBytes } from '../../kernel/proc/read.ts'
import { listFds } from '../../kernel/proc/tasks.ts'
import { close, open, owned } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { DumpContext, DumpTask } from '../dump-model.ts'
import { isCompatDump } from '../task-abi.ts'
import { isAioRing } from './aio-rings.ts'
import { type Range, splitCow } from './cow.ts'
import { type WrittenPagemap, writeCowParents } from './cow-images.ts'
import { collectVmaExtras } from './dump-extra.ts'
import { guardRanges, layoutSegments, PAGE_SIZE, type PageSegment } from './dump-pages.ts'
import { classifyVmas, type DumpVma } from './dump-vmas.ts'
import { HeldMemory, mayHold, type OwnPages } from './held-memory.ts'
import { registeredMappings, withoutMarkers } from './registered.ts'
import { type PageRun, scanPrivatePages } from './scan.ts'
import { VMA } from './vma-bits.ts'
import { copyUnreadable, PageWriting, passImage, writeAll } from './write-pages.ts'

/** Memory of one task, ready to be written. */
export interface TaskMemory {
  readonly task: DumpTask
  readonly vmas: readonly DumpVma[]
  readonly segments: readonly PageSegment[]
  /** Pages that stand in the image of its parent process, with which it shares them. */
  readonly inherited: readonly Range[]
  readonly guards: readonly { readonly start: number; readonly end: number }[]
  /** Content of the vDSO before our code was put into its tail: another kernel needs its symbols. */
  readonly vdso: Uint8Array | undefined
}

/** Everything about the memory that can be seen from outside; obstacles are refused. */
export function collectMemory(task: DumpTask, dump: DumpContext): TaskMemory {
  const vmas = classifyVmas(task, dump)
  const vdso = vmas.find((vma) => vma.mapping.path === '[vdso]')?.mapping
  const mappings = vmas.filter((vma) => vma.isPrivate).map((vma) => vma.mapping)
  using pagemap = owned(open(`${task.proc}/pagemap`, O.RDONLY))
  // All mappings, since guards may stand in shared ones too; [vsyscall] lies where nothing is scanned.
  const scanned = vmas.map((vma) => vma.mapping).filter(({ path }) => path !== '[vsyscall]')
  const [first, last] = [scanned[0], scanned.at(-1)]
  const all = first && last ? scanPrivatePages(pagemap.fd, first.start, last.end) : []
  const found = withoutMarkers(all, registeredMappings(task))
  // The pages of a ring are those of a file of the kernel's, and no restore finds them there.
  const runs = mappings.filter(isAioRing).reduce(withWhole, found)
  describeMm(task, dump)
  collectVmaExtras(task)
  return {
    task,
    vmas,
    segments: vdso
      ? layoutSegments(withWhole(runs, vdso), withMapping(mappings, vdso))
      : layoutSegments(runs, mappings),
    inherited: [],
    guards: guardRanges(runs, scanned),
    vdso: vdso && readMemory(task, vdso.start, vdso.end),
  }
}

/** A mapping that is written whole, whatever of it is present. */
function withWhole(runs: readonly PageRun[], { start, end }: SmapsMapping): PageRun[] {
  const whole = { start: Number(start), end: Number(end), guard: false }
  const others = runs.filter((run) => run.end <= whole.start || run.start >= whole.end)
  return [...others, whole].sort((a, b) => a.start - b.start)
}

function withMapping(mappings: readonly SmapsMapping[], added: SmapsMapping): SmapsMapping[] {
  return [...mappings, added].sort((a, b) => (a.start < b.start ? -1 : 1))
}

/** The fields of mm_entry that /proc/PID/stat, auxv and exe tell; brk is asked in the task. */
function describeMm(task: DumpTask, dump: DumpContext): void {
  const { stat, mm } = task
  mm.mm_start_code = stat.startCode
  mm.mm_end_code = stat.endCode
  mm.mm_start_data = stat.startData
  mm.mm_end_data = stat.endData
  mm.mm_start_stack = stat.startStack
  mm.mm_start_brk = stat.startBrk
  mm.mm_arg_start = stat.argStart
  mm.mm_arg_end = stat.argEnd
  mm.mm_env_start = stat.envStart
  mm.mm_env_end = stat.envEnd
  mm.exe_file_id = dump.files.idOfPath(task, `${task.proc}/exe`, O.RDONLY)
  const wordSize = isCompatDump(task) ? 4 : 8
  mm.mm_saved_auxv = auxWords(readProcBytes(`${task.proc}/auxv`), wordSize)
}

function readMemory(task: DumpTask, start: bigint, end: bigint): Uint8Array {
  using mem = owned(open(`${task.proc}/mem`, O.RDONLY))
  const bytes = new Uint8Array(Number(end - start))
  readSync(mem.fd, bytes, 0, bytes.length, Number(start))
  return bytes
}

/** Descriptors that the helper needs besides those of the process, of which it has copies. */
const SPARE_FDS = 4

/**
 * The task's limits hold for its helper too. Where they would stop it from opening or writing the
 * image, we copy the pages ourselves.
 */
function byWhoCanWrite({ task, segments }: TaskMemory): readonly PageSegment[] {
  const limits = readLimits(task.proc)
  const size = limits[RLIMIT.FSIZE]?.soft ?? 0n
  const files = limits[RLIMIT.NOFILE]?.soft ?? 0n
  const used = BigInt(listFds(task.proc).length + SPARE_FDS)
  if (size >= BigInt(totalLength(segments)) && files > used) return segments
  return segments.map((segment) =>
    segment.source === 'self' ? { ...segment, source: 'mem' as const } : segment,
  )
}

/**
 * Writes pagemap-PID.img and pages-N.img of all tasks; the tasks write their pages themselves. Where
 * their memory can be held as it is now by a fork, most pages are left to that: they are returned.
 */
export function writePrivatePages(
  memories: readonly TaskMemory[],
  pagesIds: Iterator<number>,
  dump: DumpContext,
): HeldMemory | undefined {
  const images: LocalFd[] = []
  try {
    const pagemaps = new Map<number, WrittenPagemap>()
    const pages = memories.flatMap((memory): OwnPages[] => {
      const id = pagesIds.next().value as number
      const image = dump.images.openRaw('pages', id, 'read-write')
      images.push(image)
      writeVdso(memory, image, dump)
      const table = pagemapOf(memory)
      dump.images.writePagemap('pagemap', { pages_id: id }, table, memory.task.nsPid)
      pagemaps.set(memory.task.pid, { memory, pagesId: id, table })
      const segments = byWhoCanWrite(memory)
      copyUnreadable(memory.task.pid, image, segments, dump.progress)
      dump.stats.count('pagesWritten', totalLength(memory.segments) / PAGE_SIZE)
      const own = segments.filter((segment) => segment.source === 'self')
      const infection = memory.task.infection!
      // A task at its limit of descriptors has pages that only we can write.
      if (own.length === 0) return []
      return [{ memory, infection, segments: own, image: passImage(infection, image) }]
    })
    writeCowParents(pagemaps, dump)
    const held = mayHold(pages, dump) ? HeldMemory.hold(pages, dump.log) : undefined
    try {
      writeAll(
        pages.map(({ infection, image, segments }) => {
          const now = held ? segments.filter(({ inForks }) => !inForks) : segments
          return new PageWriting(infection, image, now, dump.progress)
        }),
      )
    } catch (error) {
      held?.[Symbol.dispose]()
      throw error
    }
    return held
  } finally {
    for (const image of images) close(image)
  }
}

function writeVdso(
  { vdso, segments }: TaskMemory,
  image: LocalFd,
  { progress }: DumpContext,
): void {
  const place = segments.find((segment) => segment.source === 'copy')
  if (!vdso || !place) return
  writeSync(image, vdso, 0, vdso.length, place.offset)
  progress.advance(vdso.length)
}

/** Leaves out of each task what it shares with its parent. Parents stand before children. */
export function shareWithParents(memories: readonly TaskMemory[]): TaskMemory[] {
  const byPid = new Map(memories.map((memory) => [memory.task.pid as number, memory.task]))
  return memories.map((memory) => {
    const parent = byPid.get(memory.task.stat.ppid)
    return parent ? { ...memory, ...splitCow(memory.task, parent, memory.segments) } : memory
  })
}

/** The pages of a task as its pagemap lists them: runs in order, those of its parent flagged. */
function pagemapOf({ segments, inherited }: TaskMemory): PagemapTable {
  const runs = [
    ...segments.map(({ address, length }) => ({ address, length, flags: pageFlags.present })),
    ...inherited.map(({ address, length }) => ({ address, length, flags: pageFlags.parent })),
  ].sort((a, b) => a.address - b.address)
  const table = new PagemapTable()
  let [address, length, flags] = [0, 0, 0]
  for (const run of runs) {
    if (length > 0 && address + length === run.address && flags === run.flags) {
      length += run.length
      continue
    }
    if (length > 0) table.add(address, length / PAGE_SIZE, flags)
    address = run.address
    length = run.length
    flags = run.flags
  }
  if (length > 0) table.add(address, length / PAGE_SIZE, flags)
  return table
}

/** The entries of mm_entry.vmas: all mappings, then guard ranges as areas of their own. */
export function vmaEntries({ vmas, guards }: TaskMemory): Init<Messages['vma_entry']>[] {
  const areas = guards.map(({ start, end }) => ({
    start: BigInt(start),
    end: BigInt(end),
    pgoff: 0n,
    shmid: 0n,
    prot: 0,
    flags: 0,
    status: VMA.guard,
    fd: -1n,
  }))
  return [...vmas.map((vma) => vma.entry), ...areas]
}

/** What writePrivatePages will tell the progress of, in all. */
export const bytesToWrite = (memories: readonly TaskMemory[]): number =>
  memories.reduce((sum, { segments }) => sum + totalLength(segments), 0)

function totalLength(segments: readonly PageSegment[]): number {
  const last = segments.at(-1)
  return last ? last.offset + last.length : 0
}

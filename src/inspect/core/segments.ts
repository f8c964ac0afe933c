import type { Messages } from '../../images/gen/messages.ts'
import { encodeText } from '../../images/text.ts'
import { VMA } from '../../images/vma-status.ts'
import { ELF_IDENT, PF } from '../../kernel/constants/elf.ts'
import { PROT } from '../../kernel/constants/mman.ts'
import { closeSync, openSync, readSync } from '../../kernel/fs.ts'
import { PAGE } from '../snapshot/model.ts'
import type { PageRun } from '../snapshot/page-map.ts'
import type { PageMaps } from '../snapshot/page-maps.ts'
import { SharedIds } from '../snapshot/shared.ts'

type VmaEntry = Messages['vma_entry']
type FileEntry = Messages['file_entry']

/** A part of memory as a core file tells of it. */
export interface Segment {
  readonly start: number
  readonly end: number
  /** PF_* */
  readonly flags: number
  /** How many bytes of it the file has; the rest reads as zero, or as the mapped file. */
  readonly filled: number
  /** Saved pages, with addresses of this segment. */
  readonly runs: readonly PageRun[]
  /** First page of a mapped program or library: debuggers find by it which one that is. */
  readonly head?: Uint8Array
}

/**
 * What goes into the core, as the kernel does by default (coredump_filter 0x33, core(5)): anonymous
 * memory, and the first page of mapped programs. Of a mapped file only the pages that the process
 * has changed are there, each run as a segment of its own: all others are as the file has them.
 */
export function segmentsOf(
  vmas: readonly VmaEntry[],
  pid: number,
  maps: PageMaps,
  files: ReadonlyMap<number, FileEntry>,
): Segment[] {
  const own = maps.get('pagemap', pid)
  const shared = new SharedIds(maps.directory, (id) => files.get(id)?.memfd?.inode_id)
  return vmas
    .filter(({ status }) => (status & VMA.vsyscall) === 0)
    .flatMap((vma) => {
      const start = Number(vma.start)
      const end = Number(vma.end)
      const id = shared.of(vma)
      const runs = id === undefined ? [...(own?.runs(start, end) ?? [])] : sharedRuns(vma, id, maps)
      const saved = runs.filter((run) => run.content !== undefined)
      const isFile = (vma.status & (VMA.filePrivate | VMA.fileShared)) !== 0
      return isFile && (vma.status & VMA.memfd) === 0
        ? ofFile(vma, saved, files.get(Number(vma.shmid)))
        : [whole(vma, saved)]
    })
}

/** With addresses of the mapping. */
function sharedRuns(vma: VmaEntry, id: number, maps: PageMaps): PageRun[] {
  const offset = Number(vma.pgoff)
  const length = Number(vma.end - vma.start)
  const shift = Number(vma.start) - offset
  const runs = maps.get('pagemap-shmem', id)?.runs(offset, offset + length) ?? []
  return [...runs].map((run) => ({ ...run, start: run.start + shift }))
}

const flagsOf = ({ prot }: VmaEntry): number =>
  (prot & PROT.READ ? PF.R : 0) | (prot & PROT.WRITE ? PF.W : 0) | (prot & PROT.EXEC ? PF.X : 0)

/** Memory whose unsaved pages are zero; the file is sparse there. */
function whole(vma: VmaEntry, runs: readonly PageRun[]): Segment {
  const start = Number(vma.start)
  const end = Number(vma.end)
  return { start, end, flags: flagsOf(vma), filled: runs.length > 0 ? end - start : 0, runs }
}

/** Pages that were changed, and those between them that the file itself has. */
function ofFile(vma: VmaEntry, runs: readonly PageRun[], file: FileEntry | undefined): Segment[] {
  const end = Number(vma.end)
  const flags = flagsOf(vma)
  const found: Segment[] = []
  let at = Number(vma.start)
  const head = vma.pgoff === 0n && runs[0]?.start !== at ? firstPage(file) : undefined
  if (head !== undefined) {
    found.push({ start: at, end: at + PAGE, flags, filled: PAGE, runs: [], head })
    at += PAGE
  }
  for (const run of runs) {
    const runEnd = run.start + run.pages * PAGE
    if (run.start > at) found.push({ start: at, end: run.start, flags, filled: 0, runs: [] })
    found.push({ start: run.start, end: runEnd, flags, filled: runEnd - run.start, runs: [run] })
    at = runEnd
  }
  if (at < end) found.push({ start: at, end, flags, filled: 0, runs: [] })
  return found
}

/** Of an ELF file that is still there; undefined: of none. */
function firstPage(file: FileEntry | undefined): Uint8Array | undefined {
  if (file?.reg === undefined) return undefined
  try {
    const fd = openSync(encodeText(file.reg.name), 'r')
    try {
      const page = new Uint8Array(PAGE)
      readSync(fd, page, 0, PAGE, 0)
      return ELF_IDENT.every((byte, i) => page[i] === byte) ? page : undefined
    } finally {
      closeSync(fd)
    }
  } catch {
    return undefined
  }
}

import { fail } from '../../errors/error.ts'
import { PagemapTable, pageFlags } from '../../images/pagemap.ts'
import type { Progress } from '../../job/progress.ts'
import { O, SEEK } from '../../kernel/constants/fcntl.ts'
import { Errno } from '../../kernel/errno.ts'
import { tryStatSync } from '../../kernel/fs.ts'
import { scratch } from '../../kernel/memory.ts'
import { statFd } from '../../kernel/stat.ts'
import { checked, close, open, owned, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { DumpContext } from '../dump-model.ts'
import type { TaskMemory } from './dump-memory.ts'
import { PAGE_SIZE } from './dump-pages.ts'
import { sharedFilesOf } from './dump-shared-files.ts'
import { hugePageSize } from './huge.ts'
import { copyHuge, type FileRange, hugeDataRanges } from './huge-content.ts'
import { VMA } from './vma-bits.ts'

const COPY_SIZE = 1 << 20

/** A piece of shared memory: a nameless file of tmpfs, known by the id that images have of it. */
interface SharedMemory {
  /** How to open it: `/proc/PID/map_files/…` of a mapping, as wide as it may be. */
  readonly path: string
}

/**
 * Content of shared anonymous memory, once for all tasks that map it: pagemap-shmem-ID.img, ID being
 * the inode's number. It is copied between descriptors; holes stay holes.
 */
export function writeSharedMemory(
  memories: readonly TaskMemory[],
  pagesIds: Iterator<number>,
  dump: DumpContext,
): void {
  for (const [id, { path }] of findShared(memories)) {
    using source = owned(open(path, O.RDONLY))
    writeShmem(id, source.fd, pagesIds, dump)
  }
  for (const [id, fd] of sharedFilesOf(dump)) {
    using source = owned(open(`/proc/self/fd/${fd}`, O.RDONLY))
    writeShmem(id, source.fd, pagesIds, dump)
  }
}

/** About how much that will be: what of it is allocated. */
export function sharedBytes(memories: readonly TaskMemory[], dump: DumpContext): number {
  const mapped = [...findShared(memories).values()].map(({ path }) => tryStatSync(path))
  const open = [...sharedFilesOf(dump).values()].map((fd) => statFd(fd))
  return [...mapped, ...open].reduce((sum, stat) => sum + Number(stat?.blocks ?? 0n) * 512, 0)
}

function findShared(memories: readonly TaskMemory[]): Map<bigint, SharedMemory> {
  const found = new Map<bigint, SharedMemory>()
  for (const { task, vmas } of memories)
    for (const { entry, mapping } of vmas) {
      const isOwn = (entry.status & (VMA.anonShared | VMA.sysvIpc)) === VMA.anonShared
      if (!isOwn || found.has(entry.shmid)) continue
      const range = `${mapping.start.toString(16)}-${mapping.end.toString(16)}`
      found.set(entry.shmid, { path: `${task.proc}/map_files/${range}` })
    }
  return found
}

/** Writes the content of a file of shared memory (`id` as the images name it). */
export function writeShmem(
  id: bigint | number,
  source: LocalFd,
  pagesIds: Iterator<number>,
  dump: DumpContext,
): void {
  const pagesId = pagesIds.next().value as number
  const image = dump.images.openRaw('pages', pagesId, 'write')
  try {
    const table = new PagemapTable()
    const hugePage = hugePageSize(source)
    for (const { start, end } of rangesOf(source, hugePage)) {
      table.add(start, (end - start) / PAGE_SIZE, pageFlags.present)
      dump.progress.expect(end - start)
      if (hugePage === undefined) copyRange(source, image, start, end, dump.progress)
      else {
        copyHuge(source, image, start, end)
        dump.progress.advance(end - start)
      }
      dump.stats.count('shpagesWritten', (end - start) / PAGE_SIZE)
    }
    dump.images.writePagemap('pagemap-shmem', { pages_id: pagesId }, table, id)
  } finally {
    close(image)
  }
}

function rangesOf(source: LocalFd, hugePage: number | undefined): readonly FileRange[] {
  if (hugePage === undefined) return dataRanges(source)
  return hugeDataRanges(source, hugePage, Number(statFd(source).size))
}

/** Parts of a file that are no holes, in whole pages. */
function dataRanges(fd: LocalFd): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = []
  for (let at = 0; ; ) {
    const start = sys('lseek', fd, at, SEEK.DATA)
    if (start === -Errno.ENXIO) return ranges
    checked(start, 'lseek(SEEK_DATA) of shared memory')
    const hole = checked(sys('lseek', fd, start, SEEK.HOLE), 'lseek(SEEK_HOLE) of shared memory')
    const end = Math.ceil(hole / PAGE_SIZE) * PAGE_SIZE
    ranges.push({ start: start - (start % PAGE_SIZE), end })
    at = end
  }
}

function copyRange(
  source: LocalFd,
  image: LocalFd,
  start: number,
  end: number,
  progress: Progress,
): void {
  using s = scratch()
  const offset = s.take(8)
  offset.view.setBigInt64(0, BigInt(start), true)
  let left = end - start
  while (left > 0) {
    const sent = sys('sendfile', image, source, offset.address, Math.min(left, COPY_SIZE))
    checked(sent, 'write of shared memory to an image')
    if (sent === 0) {
      // The file ends within its last page: the rest of that page is zero.
      if (left >= PAGE_SIZE) fail({ code: 'internal', reason: 'shared memory ended too early' })
      checked(
        sys('pwrite64', image, s.take(left).address, left, filePosition(image)),
        'write of an image',
      )
      checked(sys('lseek', image, 0, SEEK.END), 'lseek of an image')
      return
    }
    left -= sent
    progress.advance(sent)
  }
}

const filePosition = (fd: LocalFd): number => sys('lseek', fd, 0, SEEK.CUR)

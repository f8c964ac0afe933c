import type { Messages } from '../../images/gen/messages.ts'
import type { ImageWriter } from '../../images/writer.ts'
import { O, SEEK } from '../../kernel/constants/fcntl.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import { stat as statLayout } from '../../kernel/layout/files.ts'
import { scratch } from '../../kernel/memory.ts'
import { pathFromBytes } from '../../kernel/proc/bytes.ts'
import { majorOf, makeKernelDev, minorOf } from '../../kernel/proc/device.ts'
import { checked, must, open, owned, sys } from '../../kernel/sys.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { copyBytes, dataPieces } from './copy.ts'
import { extentPieces } from './extents.ts'
import { refuseFile } from './refuse.ts'

type GhostEntry = Messages['ghost_file_entry']

/** PATH_MAX: no link is longer. */
const LONGEST_LINK = 4096

/** Writes ghost-file-ID.img: what the file is, and its content straight from its inode. */
export function writeGhost(id: number, probe: FdProbe, dump: DumpContext): void {
  if (isLeased(probe) && !isReadable(probe)) {
    refuseLeased(probe, dump)
    return
  }
  const entry = ghostEntry(probe)
  using writer = dump.images.writer('ghost-file', id)
  writer.entry(entry)
  if (fileType(probe.stat.mode) === 'regular') writeContent(writer, probe, entry, dump)
  writer.close()
}

function ghostEntry(probe: FdProbe): GhostEntry {
  const { local, stat } = probe
  const type = fileType(stat.mode)
  const isSparse = type === 'regular' && stat.blocks * 512n < stat.size && !isLeased(probe)
  const dev = Number(stat.dev)
  return {
    uid: stat.uid,
    gid: stat.gid,
    mode: stat.mode,
    dev: makeKernelDev(majorOf(dev), minorOf(dev)),
    ino: stat.ino,
    rdev: type === 'char' || type === 'block' ? Number(stat.rdev) : undefined,
    ...timesOf(local),
    chunks: isSparse ? true : undefined,
    size: isSparse ? stat.size : undefined,
    symlnk_target: type === 'symlink' ? linkTarget(local) : undefined,
  }
}

function timesOf(fd: number): Pick<GhostEntry, 'atim' | 'mtim'> {
  using s = scratch()
  const memory = s.take(statLayout.size)
  must('fstat', fd, memory.address)
  const { atime, mtime } = statLayout.read(memory.view, 0)
  return {
    atim: { tv_sec: BigInt.asUintN(64, atime.sec), tv_usec: atime.nsec / 1000n },
    mtim: { tv_sec: BigInt.asUintN(64, mtime.sec), tv_usec: mtime.nsec / 1000n },
  }
}

function linkTarget(fd: number): string {
  using s = scratch()
  const memory = s.take(LONGEST_LINK)
  const length = must('readlinkat', fd, s.string(''), memory.address, LONGEST_LINK)
  return pathFromBytes(memory.bytes.subarray(0, length))
}

function writeContent(
  writer: ImageWriter<'ghost-file'>,
  probe: FdProbe,
  entry: GhostEntry,
  { options }: DumpContext,
): void {
  // Opened once more: the description that we share may be O_PATH or for writing alone, and its
  // position must not move.
  const path = `/proc/self/fd/${probe.local}`
  const what = `unlinked file ${probe.path}`
  if (isLeased(probe)) {
    appendBytes(writer, probe.local, 0, Number(probe.stat.size), what)
    return
  }
  using source = owned(open(path, O.RDONLY | O.NOATIME))
  if (!entry.chunks) {
    appendBytes(writer, source.fd, 0, Number(probe.stat.size), what)
    return
  }
  const size = Number(probe.stat.size)
  const extents = options.ghostFiemap ? extentPieces(source.fd, size) : undefined
  for (const { offset, length } of extents ?? dataPieces(source.fd, size)) {
    writer.message('ghost_chunk_entry', { len: BigInt(length), off: BigInt(offset) })
    appendBytes(writer, source.fd, offset, length, what)
  }
}

/** To open such a file would tell the holder to give the lease up: it is read through the holder's own. */
const isLeased = ({ info, fd }: FdProbe): boolean =>
  fd !== undefined && info.locks.some(({ kind }) => kind === 'LEASE')

const isReadable = ({ flags }: FdProbe): boolean => (flags & O.ACCMODE) !== O.WRONLY

function refuseLeased(probe: FdProbe, dump: DumpContext): void {
  const what = 'lease of an unlinked file that is open for writing alone'
  refuseFile(dump, probe, what, 'have the program give the lease up, or keep the name of the file')
}

function appendBytes(
  writer: ImageWriter<'ghost-file'>,
  from: number,
  offset: number,
  length: number,
  what: string,
): void {
  writer.flush()
  const end = checked(sys('lseek', writer.fd, 0, SEEK.END), 'lseek', { path: writer.file })
  copyBytes(from, offset, writer.fd, end, length, what)
  must('lseek', writer.fd, end + length, SEEK.SET)
}

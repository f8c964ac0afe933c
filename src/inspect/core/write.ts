import { fail } from '../../errors/error.ts'
import { attempt, closeFd, writeAll } from '../../images/descriptor.ts'
import { ImageDirectory } from '../../images/directory.ts'
import { decodeText } from '../../images/text.ts'
import { ELF_IDENT, EM_X86_64, ET, PF, PN_XNUM, PT } from '../../kernel/constants/elf.ts'
import { O, SEEK } from '../../kernel/constants/fcntl.ts'
import { openSync, unlinkSync } from '../../kernel/fs.ts'
import { elfHeader, elfProgramHeader, elfSectionHeader } from '../../kernel/layout/elf.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, sys } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import { AddressSpaces } from '../snapshot/address-spaces.ts'
import { PAGE } from '../snapshot/model.ts'
import type { PageRun } from '../snapshot/page-map.ts'
import { PageMaps, readMemory } from '../snapshot/page-maps.ts'
import { type CoreProcess, notesOf } from './notes.ts'
import { type Segment, segmentsOf } from './segments.ts'

export interface CoreFile {
  readonly path: string
  /** Bytes with the holes, and those of memory that were written. */
  readonly size: number
  readonly saved: number
}

/**
 * Writes a process of the images as a core file (core(5)), which debuggers open. Pages go from
 * file to file within the kernel. CriuError if there is no such process; nothing is left behind then.
 */
export function writeCore(maps: PageMaps, pid: number, path: string): CoreFile {
  const process = coreProcess(maps, pid)
  const files = new Map(
    (maps.directory.tryReadAll('files') ?? []).map((entry) => [entry.id, entry]),
  )
  const segments = segmentsOf(process.mm.vmas, process.owner, maps, files)
  const notes = fitting(maps.directory.pathOf('core', pid), () =>
    notesOf({ ...process, path: (id) => files.get(id)?.reg?.name }),
  )
  const fd = attempt('open', path, () => localFd(openSync(path, CREATE, 0o600)))
  try {
    return { path, ...writeParts(fd, notes, segments, path) }
  } catch (error) {
    attempt('unlink', path, () => unlinkSync(path))
    throw error
  } finally {
    closeFd(fd)
  }
}

/** Layouts refuse what does not fit into a struct of the kernel's: more registers than there are. */
function fitting<T>(file: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return fail({ code: 'image', file, entry: 0, reason: `its registers: ${error.message}` })
  }
}

/** The same from a directory by its path. */
export function dumpCore(directory: string, pid: number, path: string): CoreFile {
  using maps = new PageMaps(ImageDirectory.open(directory))
  return writeCore(maps, pid, path)
}

const CREATE = O.WRONLY | O.CREAT | O.TRUNC | O.NOFOLLOW

/** What the notes need; `owner`: the process whose images have the memory. */
function coreProcess(maps: PageMaps, pid: number): Omit<CoreProcess, 'path'> & { owner: number } {
  const images = maps.directory
  const members = images.readAll('pstree')
  const pids = members.map((one) => one.pid)
  const member = members.find((one) => one.pid === pid) ?? noProcess(pid, pids)
  const { owner, mm, vmas } = new AddressSpaces(images, pids).of(pid) ?? noMemory(pid)
  // The leader first: debuggers begin with the first thread.
  const tids = [pid, ...member.threads.filter((tid) => tid !== pid)]
  const { ppid, pgid, sid } = member
  const threads = tids.map((tid) => threadOf(images, tid, pid))
  const command = commandOf(maps, owner, mm.mm_arg_start, mm.mm_arg_end)
  return { pid, ppid, pgid, sid, owner, mm: { ...mm, vmas: [...vmas] }, command, threads }
}

const noProcess = (pid: number, pids: readonly number[]): never =>
  fail({
    code: 'option',
    option: '--core',
    reason: `names process ${pid}, which is not in the images`,
    remedy: `they hold ${pids.slice(0, 10).join(', ')}${pids.length > 10 ? ', …' : ''}`,
  })

const noMemory = (pid: number): never =>
  fail({
    code: 'option',
    option: '--core',
    reason: `names process ${pid}, which has no memory left`,
  })

function threadOf(images: ImageDirectory, tid: number, pid: number) {
  const core = images.readOne('core', tid)
  const info = core.thread_info
  const file = images.pathOf('core', tid)
  if (info === undefined) {
    return fail({ code: 'image', file, entry: 0, reason: 'it has no registers of x86-64' })
  }
  if (info.gpregs.mode === COMPAT) {
    const reason = `names process ${pid}, whose thread ${tid} runs 32-bit code: that is not supported yet`
    return fail({ code: 'option', option: '--core', reason })
  }
  return { tid, core, info }
}

/** user_x86_regs_mode of 32-bit code. */
const COMPAT = 2

function commandOf(maps: PageMaps, owner: number, start: bigint, end: bigint): string {
  const length = Math.min(Number(end - start), PAGE)
  const map = length > 0 ? maps.get('pagemap', owner) : undefined
  const bytes = map && readMemory(map, Number(start), length)
  return bytes === undefined ? '' : decodeText(bytes).replaceAll('\0', ' ').trimEnd()
}

const alignUp = (offset: number): number => Math.ceil(offset / PAGE) * PAGE

function writeParts(fd: LocalFd, notes: Uint8Array, segments: readonly Segment[], path: string) {
  const count = segments.length + 1
  const many = count >= PN_XNUM
  const sectionAt = elfHeader.size + count * elfProgramHeader.size
  const notesAt = sectionAt + (many ? elfSectionHeader.size : 0)
  const headers: Uint8Array[] = [header(count, many ? sectionAt : 0)]
  headers.push(
    elfProgramHeader.encode({
      type: PT.NOTE,
      offset: BigInt(notesAt),
      filesz: BigInt(notes.length),
      align: 4n,
    }),
  )
  let at = alignUp(notesAt + notes.length)
  const places = segments.map((segment) => {
    const offset = at
    at += segment.filled
    headers.push(programHeader(segment, offset))
    return offset
  })
  if (many) headers.push(elfSectionHeader.encode({ info: count }))
  writeAll(fd, Buffer.concat([...headers, notes]), path)
  const saved = segments.reduce((sum, segment, i) => sum + fill(fd, segment, places[i]!, path), 0)
  checked(sys('ftruncate', fd, at), 'ftruncate', { path })
  return { size: at, saved }
}

function header(count: number, sectionAt: number): Uint8Array {
  return elfHeader.encode({
    ident: Uint8Array.from(ELF_IDENT),
    type: ET.CORE,
    machine: EM_X86_64,
    version: 1,
    phoff: BigInt(elfHeader.size),
    shoff: BigInt(sectionAt),
    ehsize: elfHeader.size,
    phentsize: elfProgramHeader.size,
    phnum: Math.min(count, PN_XNUM),
    shentsize: sectionAt === 0 ? 0 : elfSectionHeader.size,
    shnum: sectionAt === 0 ? 0 : 1,
  })
}

function programHeader({ start, end, flags, filled }: Segment, offset: number): Uint8Array {
  return elfProgramHeader.encode({
    type: PT.LOAD,
    flags: flags & (PF.R | PF.W | PF.X),
    offset: BigInt(offset),
    vaddr: BigInt(start),
    filesz: BigInt(filled),
    memsz: BigInt(end - start),
    align: BigInt(PAGE),
  })
}

/** Puts the saved pages where they belong; what lies between them stays a hole. Returns bytes. */
function fill(fd: LocalFd, { start, runs, head }: Segment, offset: number, path: string): number {
  if (head !== undefined) {
    seek(fd, offset, path)
    writeAll(fd, head, path)
  }
  let saved = head?.length ?? 0
  for (const run of runs) {
    seek(fd, offset + (run.start - start), path)
    saved += copy(fd, run, path)
  }
  return saved
}

function seek(fd: LocalFd, offset: number, path: string): void {
  checked(sys('lseek', fd, offset, SEEK.SET), 'lseek', { path })
}

/** sendfile(2): the pages never come to us. */
function copy(fd: LocalFd, { pages, content }: PageRun, path: string): number {
  if (content === undefined) return 0
  using s = scratch()
  const at = s.take(8)
  at.view.setBigUint64(0, BigInt(content.offset), true)
  const length = pages * PAGE
  for (let done = 0; done < length; ) {
    const count = checked(
      sys('sendfile', fd, content.fd, at.address, Math.min(length - done, AT_ONCE)),
      'sendfile',
      { path },
    )
    if (count === 0) fail({ code: 'image', file: content.file, reason: 'it became shorter' })
    done += count
  }
  return length
}

/** Less than the most that one call moves (0x7ffff000 bytes). */
const AT_ONCE = 1 << 30

import type { Init } from '../../images/codec.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { MAP, PROT } from '../../kernel/constants/mman.ts'
import { AF, SO, SOL } from '../../kernel/constants/socket.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { parseLink } from '../../kernel/proc/links.ts'
import type { SmapsMapping } from '../../kernel/proc/maps.ts'
import { tryGetInt } from '../../kernel/socket-option.ts'
import { statFs } from '../../kernel/stat-fs.ts'
import { open, owned } from '../../kernel/sys.ts'
import type { FileId } from '../../kernel/types.ts'
import type { DumpContext, DumpTask, FoundDescriptor } from '../dump-model.ts'
import { isAioRing, whyRefusedRing } from './aio-rings.ts'
import { sharedMemoryId } from './dump-shared-files.ts'
import { hugeSizeBits } from './huge.ts'
import { tryPluginVma } from './plugin-vma.ts'
import { MADVISE_FLAGS, VMA } from './vma-bits.ts'

type VmaEntry = Init<Messages['vma_entry']>

/** A mapping and its entry. */
export interface DumpVma {
  readonly mapping: SmapsMapping
  readonly entry: VmaEntry
  /** Its pages are the task's own, written with the task's pages. */
  readonly isPrivate: boolean
}

const DELETED = ' (deleted)'
const IO_URING = 'anon_inode:[io_uring]'

/** Sorts all mappings of a task; what cannot be restored is refused. */
export function classifyVmas(task: DumpTask, dump: DumpContext): DumpVma[] {
  const vmas: DumpVma[] = []
  const files: MappedFiles = new Map()
  for (const mapping of task.maps) {
    const last = vmas.at(-1)
    if (mapping.path.startsWith('[vvar') && last?.mapping.path.startsWith('[vvar')) {
      // The kernel splits it ([vvar], [vvar_vclock], since 6.13); images have one area.
      last.entry.end = mapping.end
      continue
    }
    const refusal = whyRefused(task, mapping, dump)
    const kept = refusal && tryPluginVma(task, mapping, protectionAndFlags(mapping), dump)
    if (kept) vmas.push({ mapping, entry: kept, isPrivate: false })
    else if (refusal) refuse(task, mapping, refusal, dump)
    else vmas.push(classify(task, mapping, files, dump))
  }
  return vmas
}

function refuse(task: DumpTask, { start, end }: SmapsMapping, what: string, dump: DumpContext) {
  const where = `memory ${start.toString(16)}-${end.toString(16)}`
  dump.refuse({ pid: task.pid, comm: displayPath(task.stat.comm), where, what })
}

/** What of a mapping no restore could bring back. */
function whyRefused(task: DumpTask, mapping: SmapsMapping, dump: DumpContext): string | undefined {
  const { vmFlags, path, protectionKey } = mapping
  if (path === '[vsyscall]' || path.startsWith('[v')) return undefined
  if (vmFlags.has('pf') || vmFlags.has('io')) return `memory of a device (${displayPath(path)})`
  if (vmFlags.has('ss')) return 'a shadow stack (CET) cannot be dumped yet'
  if (protectionKey !== 0) return `a protection key (${protectionKey}) cannot be dumped yet`
  if (isAioRing(mapping)) return whyRefusedRing(task, mapping)
  if (isSocket(mapping)) return whyRefusedSocket(mapping, dump)
  if (path === IO_URING) return undefined
  if (path.startsWith('anon_inode:')) return `mapped ${path}`
  if (path === '[uprobes]') return 'uprobes'
  return undefined
}

/** Ids of the files that a task has mapped, by what the kernel tells of a mapping's file. */
type MappedFiles = Map<string, FileId>

function classify(
  task: DumpTask,
  mapping: SmapsMapping,
  files: MappedFiles,
  dump: DumpContext,
): DumpVma {
  const { start, end, offset, path, shared, inode } = mapping
  const entry: VmaEntry = {
    start,
    end,
    pgoff: offset,
    shmid: 0n,
    prot: protection(mapping),
    flags: mapFlags(mapping),
    status: VMA.regular,
    fd: -1n,
  }
  const madv = madviseBits(mapping)
  if (madv) entry.madv = madv
  if (path === '[vsyscall]') {
    entry.status = VMA.vsyscall | VMA.anonPrivate
    entry.flags = MAP.PRIVATE | MAP.ANONYMOUS
    entry.pgoff = 0n
    return { mapping, entry, isPrivate: false }
  }
  if (path === '[vdso]' || path.startsWith('[vvar')) {
    entry.status |= VMA.anonPrivate | (path === '[vdso]' ? VMA.vdso : VMA.vvar)
    entry.flags = MAP.PRIVATE | MAP.ANONYMOUS
    entry.pgoff = 0n
    return { mapping, entry, isPrivate: false }
  }
  if (isSocket(mapping)) {
    entry.status |= VMA.socket
    entry.shmid = BigInt(socketOf(mapping, dump)!.id)
    return { mapping, entry, isPrivate: false }
  }
  if (path === IO_URING) {
    entry.status |= VMA.uring
    entry.shmid = inode
    return { mapping, entry, isPrivate: false }
  }
  if (isAioRing(mapping)) {
    entry.status |= VMA.aioRing
    return { mapping, entry, isPrivate: true }
  }
  if (isSysv(path)) {
    entry.status |= VMA.anonShared | VMA.sysvIpc
    entry.flags |= MAP.ANONYMOUS
    // The inode's number is the segment's id. One attached read-only can never be made writable.
    entry.shmid = inode
    entry.fdflags = mapping.vmFlags.has('mw') ? O.RDWR : O.RDONLY
    return { mapping, entry, isPrivate: false }
  }
  const huge = mapping.vmFlags.has('ht') ? hugeFlags(task, mapping) : 0
  if (shared && (isAnonymousShared(path) || isAnonymousHuge(path))) {
    entry.status |= VMA.anonShared
    entry.flags |= MAP.ANONYMOUS | huge
    entry.shmid = BigInt(sharedMemoryId(inode, huge !== 0, dump))
    return { mapping, entry, isPrivate: false }
  }
  if (isAnonymousHuge(path)) {
    entry.status |= VMA.anonPrivate
    entry.flags |= MAP.ANONYMOUS | huge
    // Parts of one mapping, and a child's, have one nameless file in common.
    entry.shmid = BigInt(sharedMemoryId(inode, true, dump))
    return { mapping, entry, isPrivate: true }
  }
  if (inode === 0n) {
    entry.status |= VMA.anonPrivate
    if (path === '[heap]') entry.status |= VMA.heap
    entry.flags |= MAP.ANONYMOUS
    entry.pgoff = 0n
    return { mapping, entry, isPrivate: true }
  }
  return classifyFile(task, mapping, entry, files, dump)
}

function classifyFile(
  task: DumpTask,
  mapping: SmapsMapping,
  entry: VmaEntry,
  files: MappedFiles,
  dump: DumpContext,
): DumpVma {
  const { shared, vmFlags } = mapping
  // A shared mapping that may become writable was made from a file open for writing.
  entry.fdflags = shared && vmFlags.has('mw') ? O.RDWR : O.RDONLY
  entry.status |= shared ? VMA.fileShared : VMA.filePrivate
  if (parseLink(mapping.path).kind === 'memfd') entry.status |= VMA.memfd
  entry.shmid = BigInt(fileOf(task, mapping, entry.fdflags, files, dump))
  return { mapping, entry, isPrivate: !shared }
}

/** A library has some five mappings: its file is looked at once. */
function fileOf(
  task: DumpTask,
  { start, end, dev, inode, path }: SmapsMapping,
  flags: number,
  files: MappedFiles,
  dump: DumpContext,
): FileId {
  const key = `${dev}:${inode}:${flags}:${path}`
  // Two names may read the same with a newline in them (see Mapping.path).
  const known = path.includes('\n') ? undefined : files.get(key)
  if (known !== undefined) return known
  const link = `${task.proc}/map_files/${start.toString(16)}-${end.toString(16)}`
  const id = dump.files.idOfPath(task, link, flags)
  files.set(key, id)
  return id
}

/** Rings of a packet socket: the socket itself is what has their content. */
const isSocket = ({ path }: SmapsMapping): boolean => path.startsWith('socket:[')

const socketOf = ({ inode }: SmapsMapping, { files }: DumpContext): FoundDescriptor | undefined =>
  files.descriptors.find(({ probe }) => probe.link.kind === 'socket' && probe.stat.ino === inode)

function whyRefusedSocket(mapping: SmapsMapping, dump: DumpContext): string | undefined {
  const socket = socketOf(mapping, dump)
  if (!socket) return 'a mapped ring of a socket whose descriptor is closed'
  const family = tryGetInt(socket.probe.local, SOL.SOCKET, SO.DOMAIN)
  return family === AF.PACKET ? undefined : `memory of a socket of the family ${family}`
}

/** Shared anonymous memory is a nameless file of tmpfs; PR_SET_VMA_ANON_NAME may have named it. */
function isAnonymousShared(path: string): boolean {
  return path === `/dev/zero${DELETED}` || path.startsWith('[anon_shmem:')
}

/** A segment of System V shared memory, by the key that it was made with (shmget). */
const isSysv = (path: string): boolean => path.startsWith('/SYSV')

/** MAP_ANONYMOUS | MAP_HUGETLB: a nameless file of the kernel's own hugetlbfs. */
const isAnonymousHuge = (path: string): boolean => path === `/anon_hugepage${DELETED}`

/** MAP_HUGETLB and the logarithm of the size of its pages, as mmap(2) takes them. */
function hugeFlags(task: DumpTask, { start, end }: SmapsMapping): number {
  const range = `${start.toString(16)}-${end.toString(16)}`
  using file = owned(open(`${task.proc}/map_files/${range}`, O.PATH))
  return MAP.HUGETLB | hugeSizeBits(Number(statFs(file.fd).bsize))
}

function protection({ read, write, exec }: SmapsMapping): number {
  return (read ? PROT.READ : 0) | (write ? PROT.WRITE : 0) | (exec ? PROT.EXEC : 0)
}

const protectionAndFlags = (mapping: SmapsMapping) => ({
  prot: protection(mapping),
  flags: mapFlags(mapping),
})

function mapFlags({ shared, vmFlags }: SmapsMapping): number {
  return (
    (shared ? MAP.SHARED : MAP.PRIVATE) |
    (vmFlags.has('gd') ? MAP.GROWSDOWN : 0) |
    (vmFlags.has('nr') ? MAP.NORESERVE : 0) |
    (vmFlags.has('lo') ? MAP.LOCKED : 0) |
    (vmFlags.has('dp') ? MAP.DROPPABLE : 0)
  )
}

function madviseBits({ vmFlags }: SmapsMapping): bigint {
  let bits = 0n
  for (const [flag, advice] of MADVISE_FLAGS) if (vmFlags.has(flag)) bits |= 1n << BigInt(advice)
  return bits
}

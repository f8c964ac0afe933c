import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { F, O, SEEK } from '../../kernel/constants/fcntl.ts'
import { MFD } from '../../kernel/constants/mman.ts'
import { fileType, S } from '../../kernel/constants/stat.ts'
import { scratch } from '../../kernel/memory.ts'
import { openAs } from '../../kernel/open-as.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { statFd } from '../../kernel/stat.ts'
import { checked, close, must, open, owned, sys } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { addSharedFile, sharedMemoryId } from '../memory/dump-shared-files.ts'
import { hugePageSize, hugeSizeBits, hugeSizeOf } from '../memory/huge.ts'
import { fillShared, makeSharedMemory } from '../memory/restore-shared.ts'
import type { RestoreContext } from '../restore-model.ts'
import { connectOwner } from './async.ts'
import { partOf } from './entry-part.ts'
import { ownerOf, restoreSignal } from './owner.ts'
import { setFlags } from './pipe-restore.ts'

type InodeEntry = Messages['memfd_inode_entry']

/** MEMFD of fd_types. */
const TYPE = 18

/** What the kernel calls shared anonymous memory, which lies in the same file system as memfds. */
const ANONYMOUS = '/dev/zero'

/** Memfds of a dump by `dev:ino`: those of huge pages lie in a file system of their own. */
const dumped = new WeakMap<DumpContext, Map<string, InodeEntry>>()

function inodesOf(dump: DumpContext): Map<string, InodeEntry> {
  const found = dumped.get(dump) ?? new Map<string, InodeEntry>()
  dumped.set(dump, found)
  return found
}

/** Memory with a descriptor. Content travels as that of shared memory does. */
export const memfd: FdKind = {
  tag: 'memfd',
  type: TYPE,
  recognise: ({ link, stat }) =>
    fileType(stat.mode) === 'regular' &&
    (link.kind === 'memfd' || (link.kind === 'path' && link.deleted && link.path === ANONYMOUS)),
  dump(probe, id, dump) {
    const inode_id = inodeIdOf(probe, dump)
    const pos = probe.fd === undefined ? 0n : BigInt.asUintN(64, probe.info.pos)
    const fown = ownerOf(probe, dump)
    return { memfd: { id, flags: probe.flags, pos, fown, inode_id } }
  },
  finishDump(dump) {
    const inodes = [...inodesOf(dump).values()]
    if (inodes.length > 0) dump.images.write('memfd', inodes)
  },

  open(entry, restore) {
    const { inode_id, flags, pos, fown } = partOf(entry, 'memfd')
    const fd = openAs(`/proc/self/fd/${made(inode_id, restore).fd}`, flags & ~O.NOFOLLOW)
    if (flags & O.PATH) return fd
    if (pos !== 0n) checked(sys('lseek', fd, pos, SEEK.SET), 'lseek', { kind: 'memfd' })
    setFlags(fd, flags)
    restoreSignal(fd, fown)
    return fd
  },
  connect(entry, fd, restore) {
    const { inode_id, flags, fown } = partOf(entry, 'memfd')
    connectOwner(fd, entry.id, flags, fown, restore)
    seal(made(inode_id, restore))
  },
}

function inodeIdOf(probe: FdProbe, dump: DumpContext): number {
  const inodes = inodesOf(dump)
  const { dev, ino, uid, gid, size, mode } = probe.stat
  const key = `${dev}:${ino}`
  const known = inodes.get(key)
  if (known) return Number(known.inode_id)
  const inode_id = BigInt(inodes.size + 1)
  const huge = hugePageSize(probe.local)
  const shmid = sharedMemoryId(ino, huge !== undefined, dump)
  const name = probe.link.kind === 'memfd' ? probe.link.name : ANONYMOUS
  const entry = { name, uid, gid, size, shmid, seals: sealsOf(probe), inode_id, mode }
  inodes.set(key, huge === undefined ? entry : { ...entry, hugetlb_flag: hugeSizeBits(huge) })
  addSharedFile(BigInt(shmid), probe.local, dump)
  return Number(inode_id)
}

function sealsOf({ local }: FdProbe): number {
  // Opened anew: an O_PATH descriptor, as mappings have, answers no fcntl.
  using file = owned(open(`/proc/self/fd/${local}`, O.RDONLY))
  return must('fcntl', file.fd, F.GET_SEALS)
}

interface Made {
  readonly fd: LocalFd
  readonly entry: InodeEntry
  sealed: boolean
}

const restored = new WeakMap<RestoreContext, Map<number, Made>>()

/** The memfd of an inode entry, with its content; made once. */
function made(inodeId: number, restore: RestoreContext): Made {
  const all = restored.get(restore) ?? new Map<number, Made>()
  restored.set(restore, all)
  const known = all.get(inodeId)
  if (known) return known
  const entry = entriesOf(restore).get(inodeId)
  if (!entry) {
    const reason = `no memfd ${inodeId}`
    return fail({ code: 'image', file: restore.images.pathOf('memfd'), reason })
  }
  const fd = make(entry, restore)
  restore.atEnd(() => close(fd))
  all.set(inodeId, { fd, entry, sealed: false })
  return all.get(inodeId)!
}

const images = new WeakMap<RestoreContext, ReadonlyMap<number, InodeEntry>>()

function entriesOf(restore: RestoreContext): ReadonlyMap<number, InodeEntry> {
  const read = () => restore.images.readAll('memfd').map((e) => [Number(e.inode_id), e] as const)
  const found = images.get(restore) ?? new Map(read())
  images.set(restore, found)
  return found
}

function make(entry: InodeEntry, restore: RestoreContext): LocalFd {
  const { name, shmid, size, uid, gid, mode, hugetlb_flag } = entry
  // Upstream writes shared anonymous memory so; it has no name of its own to create it by.
  if (name === ANONYMOUS) return makeSharedMemory(BigInt(shmid), { size, huge: 0 }, restore)
  using s = scratch()
  const huge = hugetlb_flag ? MFD.HUGETLB | hugeSizeBits(hugeSizeOf(hugetlb_flag)) : 0
  const flags = MFD.CLOEXEC | MFD.ALLOW_SEALING | huge
  const fd = localFd(must('memfd_create', s.string(name), flags))
  must('ftruncate', fd, size)
  fillShared(shmid, fd, restore)
  // The last page is written whole.
  if (statFd(fd).size !== size) must('ftruncate', fd, size)
  must('fchown', fd, uid, gid)
  if (mode !== undefined) must('fchmod', fd, mode & ~S.IFMT)
  return fd
}

/** Once every task has its mappings: sealed memory can be mapped for writing no more. */
function seal(memfd: Made): void {
  if (memfd.sealed) return
  memfd.sealed = true
  const { seals, name } = memfd.entry
  if (seals === 0 || name === ANONYMOUS) return
  const kind = `memfd ${displayPath(name)}`
  checked(sys('fcntl', memfd.fd, F.ADD_SEALS, seals), 'F_ADD_SEALS', { kind })
}

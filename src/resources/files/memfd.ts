import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { F, O, SEEK } from '../../kernel/constants/fcntl.ts'
import { FS_MAGIC } from '../../kernel/constants/magic.ts'
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
import { fillShared, makeSharedMemory } from '../memory/restore-shared.ts'
import type { RestoreContext } from '../restore-model.ts'
import { connectOwner } from './async.ts'
import { partOf } from './entry-part.ts'
import { fileSystemOf } from './file-system.ts'
import { ownerOf, restoreSignal } from './owner.ts'
import { setFlags } from './pipe-restore.ts'
import { refuseFile } from './refuse.ts'

type InodeEntry = Messages['memfd_inode_entry']

/** MEMFD of fd_types. */
const TYPE = 18

/** Flags of memfd_create (linux/memfd.h). */
const MFD = { CLOEXEC: 1, ALLOW_SEALING: 2 } as const
/** What the kernel calls shared anonymous memory, which lies in the same file system as memfds. */
const ANONYMOUS = '/dev/zero'

/** Memfds of a dump by inode number; they lie in one file system. */
const dumped = new WeakMap<DumpContext, Map<bigint, InodeEntry>>()

function inodesOf(dump: DumpContext): Map<bigint, InodeEntry> {
  const found = dumped.get(dump) ?? new Map<bigint, InodeEntry>()
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
    if (fileSystemOf(probe, dump) !== FS_MAGIC.TMPFS_MAGIC) {
      const what = `memfd ${nameOf(probe)} of huge pages`
      refuseFile(dump, probe, what, 'huge pages cannot be dumped yet')
      return undefined
    }
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

const nameOf = ({ link }: FdProbe): string =>
  link.kind === 'memfd' ? displayPath(link.name) : ANONYMOUS

function inodeIdOf(probe: FdProbe, dump: DumpContext): number {
  const inodes = inodesOf(dump)
  const { ino, uid, gid, size, mode } = probe.stat
  const known = inodes.get(ino)
  if (known) return Number(known.inode_id)
  const inode_id = BigInt(inodes.size + 1)
  const huge = fileSystemOf(probe, dump) === FS_MAGIC.HUGETLBFS_MAGIC
  const shmid = sharedMemoryId(ino, huge, dump)
  const name = probe.link.kind === 'memfd' ? probe.link.name : ANONYMOUS
  inodes.set(ino, { name, uid, gid, size, shmid, seals: sealsOf(probe), inode_id, mode })
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
  if (hugetlb_flag) {
    const what = `memfd ${displayPath(name)}`
    const reason = `${what} of huge pages cannot be restored yet`
    fail({ code: 'conflict', reason, remedy: 'restore it with CRIU 4' })
  }
  // Upstream writes shared anonymous memory so; it has no name of its own to create it by.
  if (name === ANONYMOUS) return makeSharedMemory(BigInt(shmid), size, restore)
  using s = scratch()
  const fd = localFd(must('memfd_create', s.string(name), MFD.CLOEXEC | MFD.ALLOW_SEALING))
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

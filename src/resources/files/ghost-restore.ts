import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import type { ImageReader } from '../../images/reader.ts'
import { AT, O } from '../../kernel/constants/fcntl.ts'
import { fileType, S } from '../../kernel/constants/stat.ts'
import { Errno } from '../../kernel/errno.ts'
import { timespec } from '../../kernel/layout/time.ts'
import { scratch } from '../../kernel/memory.ts'
import { openAs, tryOpenAs } from '../../kernel/open-as.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { statFd } from '../../kernel/stat.ts'
import { checked, close, must, open, owned, sys, tryOpen } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import type { RestoreContext } from '../restore-model.ts'
import { copyBytes, dataPieces } from './copy.ts'
import { isSame, parentOf, tryLstat } from './lookup.ts'
import { O_TMPFILE_BIT, openFlags, pathOf } from './reopen.ts'

type RegEntry = Messages['reg_file_entry']
type GhostEntry = Messages['ghost_file_entry']

/** An inode without a name, held by a descriptor of ours. */
export interface Ghost {
  readonly held: LocalFd
  /** Descriptions that can only be opened while it has its name, by the id of their entry. */
  readonly opened: Map<number, LocalFd>
}

/**
 * Makes a ghost with its content. It has a name for this moment only: its old one if that is free,
 * so that the kernel tells it as before. `users` are all entries that are opened on it.
 */
export function makeGhost(
  id: number,
  reg: RegEntry,
  users: readonly RegEntry[],
  restore: RestoreContext,
): Ghost {
  using reader = restore.images.reader('ghost-file', id)
  const entry = reader.next('ghost_file_entry') ?? reader.broken('no ghost_file_entry')
  if (!fileType(entry.mode)) reader.broken(`mode 0${entry.mode.toString(8)} is no type of a file`)
  const { held: maker, opened } = tryMakeNameless(users, entry) ?? makeNamed(id, reg, entry, users)
  using _maker = owned(maker)
  if (fileType(entry.mode) === 'regular') fillContent(maker, entry, reader)
  setAttributes(maker, entry)
  // Open for nobody, as far as a lease is concerned.
  const held = open(`/proc/self/fd/${maker}`, O.PATH)
  restore.atEnd(() => close(held))
  return { held, opened }
}

/** Opens a ghost for one entry. */
export function openGhost(ghost: Ghost, reg: RegEntry): LocalFd {
  const ready = ghost.opened.get(reg.id)
  if (ready !== undefined) {
    ghost.opened.delete(reg.id)
    return ready
  }
  return openAs(`/proc/self/fd/${ghost.held}`, openFlags(reg) & ~O.NOFOLLOW)
}

/** A file opened with O_TMPFILE never had a name, and gets none. That description is the only such. */
function tryMakeNameless(users: readonly RegEntry[], entry: GhostEntry): Ghost | undefined {
  const user = users.find(({ flags }) => flags & O_TMPFILE_BIT)
  if (!user) return undefined
  const flags = openFlags(user) | O.TMPFILE
  const fd = tryOpenAs(parentOf(pathOf(user)), flags, entry.mode & ~S.IFMT)
  if (fd < 0) return undefined
  return { held: open(`/proc/self/fd/${fd}`, O.PATH), opened: new Map([[user.id, localFd(fd)]]) }
}

function makeNamed(
  id: number,
  reg: RegEntry,
  entry: GhostEntry,
  users: readonly RegEntry[],
): Ghost {
  const parents: string[] = []
  let name: string | undefined
  try {
    makeParents(parentOf(pathOf(reg)), parents)
    const { path, held } = makeNode(pathOf(reg), id, entry)
    name = path
    return { held, opened: openByName(path, held, users, entry) }
  } finally {
    using s = scratch()
    const flags = fileType(entry.mode) === 'directory' ? AT.REMOVEDIR : 0
    if (name !== undefined) sys('unlinkat', AT.FDCWD, s.string(name), flags)
    for (const parent of parents) sys('rmdir', s.string(parent))
  }
}

/** O_NOFOLLOW is kept by the kernel, and no way through /proc can be opened with it. */
function openByName(
  path: string,
  held: LocalFd,
  users: readonly RegEntry[],
  entry: GhostEntry,
): Map<number, LocalFd> {
  const opened = new Map<number, LocalFd>()
  if (fileType(entry.mode) === 'fifo') return opened
  for (const user of users) {
    if ((user.flags & O.NOFOLLOW) === 0) continue
    const fd = tryOpenAs(path, openFlags(user))
    if (fd < 0) continue
    // Whoever owns the directory may have put another file there meanwhile.
    if (isSame(statFd(held), statFd(fd))) opened.set(user.id, localFd(fd))
    else close(fd)
  }
  return opened
}

/** Makes the directories that are gone as well; `made` gets what was made, innermost first. */
function makeParents(directory: string, made: string[]): void {
  if (directory === '/' || tryLstat(directory)) return
  makeParents(parentOf(directory), made)
  using s = scratch()
  checked(sys('mkdir', s.string(directory), 0o700), 'mkdir', { path: displayPath(directory) })
  made.unshift(directory)
}

/** Makes the inode under its old name, or where that is taken under one beside it. */
function makeNode(path: string, id: number, entry: GhostEntry): { path: string; held: LocalFd } {
  for (let attempt = 0; attempt < 100; attempt++) {
    const suffix = attempt < 2 ? '' : `.${attempt}`
    const name = attempt === 0 ? path : `${path}.cr.${id.toString(16)}.ghost${suffix}`
    const held = tryMakeNode(name, entry)
    if (held >= 0) return { path: name, held: localFd(held) }
    if (held !== -Errno.EEXIST) checked(held, 'mknod', { path: displayPath(name) })
  }
  return fail({ code: 'conflict', reason: 'no free name for an unlinked file', path })
}

/** A descriptor of the new inode, or −errno. */
function tryMakeNode(path: string, entry: GhostEntry): number {
  const type = fileType(entry.mode)
  // In one step, since content is written to it: nobody can put another file under the name.
  if (type === 'regular') return tryOpen(path, O.RDWR | O.CREAT | O.EXCL | O.NOFOLLOW, 0o600)
  const result = tryMakeOther(path, entry)
  if (result < 0) return result
  const held = open(path, O.PATH | O.NOFOLLOW)
  if (fileType(statFd(held).mode) === type) return held
  const reason = `somebody else has changed ${displayPath(path)} during the restore`
  return fail({ code: 'conflict', reason })
}

function tryMakeOther(path: string, entry: GhostEntry): number {
  using s = scratch()
  const name = s.string(path)
  switch (fileType(entry.mode)) {
    case 'directory':
      return sys('mkdir', name, 0o700)
    case 'symlink':
      return sys('symlink', s.string(entry.symlnk_target ?? ''), name)
    default:
      return sys('mknod', name, (entry.mode & S.IFMT) | 0o600, entry.rdev ?? 0)
  }
}

function fillContent(held: LocalFd, entry: GhostEntry, reader: ImageReader): void {
  using target = owned(open(`/proc/self/fd/${held}`, O.WRONLY))
  const { fd } = target
  if (!entry.chunks) {
    must('ftruncate', fd, reader.left)
    copyContent(reader, reader.left, fd, 0)
    return
  }
  must('ftruncate', fd, entry.size ?? 0n)
  for (;;) {
    const chunk = reader.next('ghost_chunk_entry')
    if (chunk === undefined) return
    const [length, offset] = [Number(chunk.len), Number(chunk.off)]
    if (length > reader.left) reader.broken(`${length} bytes announced, ${reader.left} left`)
    copyContent(reader, length, fd, offset)
    reader.skip(length)
  }
}

/** To where there are only zeroes: holes of the image are left out. */
function copyContent(
  { fd, position, file }: ImageReader,
  length: number,
  to: LocalFd,
  at: number,
): void {
  for (const { offset, length: size } of dataPieces(fd, position + length, position))
    copyBytes(fd, offset, to, at + (offset - position), size, file)
}

/** Owner before mode, since chown clears set-user-ID; times last. */
function setAttributes(held: LocalFd, entry: GhostEntry): void {
  using s = scratch()
  const empty = s.string('')
  must('fchownat', held, empty, entry.uid, entry.gid, AT.EMPTY_PATH)
  if (fileType(entry.mode) !== 'symlink') {
    const path = s.string(`/proc/self/fd/${held}`)
    must('chmod', path, entry.mode & ~S.IFMT)
  }
  const { atim, mtim } = entry
  if (!atim || !mtim) return
  const times = s.take(2 * timespec.size)
  for (const [i, { tv_sec, tv_usec }] of [atim, mtim].entries()) {
    const value = { sec: BigInt.asIntN(64, tv_sec), nsec: tv_usec * 1000n }
    timespec.write(times.view, i * timespec.size, value)
  }
  must('utimensat', held, empty, times.address, AT.EMPTY_PATH)
}

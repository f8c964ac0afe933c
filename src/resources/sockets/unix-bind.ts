import { fail } from '../../errors/error.ts'
import { AT } from '../../kernel/constants/fcntl.ts'
import { AF, SOCK } from '../../kernel/constants/socket.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import { Errno } from '../../kernel/errno.ts'
import { makePathSync, makeTemporarySync, removeAllSync } from '../../kernel/fs.ts'
import { sockaddrUn } from '../../kernel/layout/sockets.ts'
import { scratch } from '../../kernel/memory.ts'
import { displayPath, pathBytes, pathFromText } from '../../kernel/proc/bytes.ts'
import { checked, must, sys } from '../../kernel/sys.ts'
import type { Result, Table } from '../../kernel/table.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import { parentOf, tryLstat } from '../files/lookup.ts'
import type { RestoreContext } from '../restore-model.ts'
import { runInChild } from './as-process.ts'
import { askUnixSockets } from './unix-diag.ts'
import { fileOfSocket, isPath, pathOfName, showName } from './unix-name.ts'
import type { Address } from './unix-plan.ts'

/** A socket of ours, and what it is to be bound to. */
export interface ToBind {
  readonly fd: LocalFd
  readonly at: Address
}

/** What a name takes of a table: two records, and text. */
const ROOM = 1024
const CHUNK = 200

/** A struct sockaddr_un. */
export const addressBytes = (name: Uint8Array): Uint8Array =>
  Buffer.concat([sockaddrUn.encode({ family: AF.UNIX }), name])

/**
 * Binds sockets to their names. A child with a root and a current directory of its own does it, since
 * the kernel keeps a name as it was given. One that is deleted is bound below a directory of ours,
 * where nothing is in its way, and removed with it.
 */
export function bindAll(all: readonly ToBind[], restore: RestoreContext): void {
  if (all.length === 0) return
  const files = all.filter(({ at }) => isPath(at.name))
  const present = files.filter(({ at }) => !at.deleted)
  removeStale(present, restore)
  const isGone = ({ at }: ToBind): boolean => at.deleted && isPath(at.name)
  const inPlace = all.filter((one) => !isGone(one))
  for (let at = 0; at < inPlace.length; at += CHUNK) bindSome(inPlace.slice(at, at + CHUNK))
  for (const one of all) if (isGone(one)) bindDeleted(one)
  for (const { fd, at } of files) setPermissions(fd, at)
}

function bindSome(some: readonly ToBind[]): void {
  const results: { result: Result; at: Address }[] = []
  const add = (table: Table): void => {
    for (const { fd, at } of some) {
      if (at.root !== undefined) table.call('chroot', table.string(at.root))
      if (at.dir !== undefined) table.call('chdir', table.string(pathFromText(at.dir)))
      const address = addressBytes(at.name)
      results.push({ result: table.attempt('bind', fd, table.data(address), address.length), at })
    }
  }
  // A root cannot be left again: sockets of another root are bound by another child.
  if (some.length > 1 && some.some(({ at }) => at.root !== undefined)) {
    for (const one of some) bindSome([one])
    return
  }
  if (some.length > 0) runInChild(add, some.length * ROOM, 'bind unix sockets')
  for (const { result, at } of results) checkBound(result.number, at)
}

function checkBound(result: number, at: Address): void {
  if (result >= 0) return
  const name = showName(at.name)
  const path = isPath(at.name) ? { path: name } : {}
  if (result === -Errno.EADDRINUSE)
    fail({
      code: 'conflict',
      ...path,
      reason: `the name ${name} of a unix socket is in use`,
      remedy: 'end the program that has it',
    })
  if (result === -Errno.ENOENT)
    fail({ code: 'conflict', ...path, reason: `no directory for the unix socket ${name}` })
  checked(result, 'bind', { path: name })
}

function bindDeleted({ fd, at }: ToBind): void {
  const root = makeTemporarySync(`${process.env.TMPDIR || '/tmp'}/criu-unix-`)
  try {
    const dir = `/${pathFromText(at.dir ?? '/')}`
    const path = pathOfName(at.name)
    const parent = parentOf(path.startsWith('/') ? path : `${dir}/${path}`)
    makePathSync(pathBytes(`${root}${dir}`))
    makePathSync(pathBytes(`${root}${parent}`))
    const address = addressBytes(at.name)
    runInChild(
      (table) => {
        table.call('chroot', table.string(root))
        table.call('chdir', table.string(dir))
        table.call('bind', fd, table.data(address), address.length)
      },
      2 * 4096 + ROOM,
      `bind the deleted name ${showName(at.name)}`,
    )
  } finally {
    removeAllSync(root)
  }
}

/** Files of sockets that nobody has any more, ours of before the dump. */
function removeStale(present: readonly ToBind[], { atEnd }: RestoreContext): void {
  let used: ReadonlySet<number> | undefined
  for (const { at } of present) {
    const path = fullPath(at)
    const stat = tryLstat(path)
    if (!stat) {
      atEnd((succeeded) => {
        if (!succeeded) unlink(path)
      })
      continue
    }
    if (fileType(stat.mode) !== 'socket')
      fail({
        code: 'conflict',
        path: displayPath(path),
        reason: 'a unix socket is to be bound there',
      })
    used ??= new Set([...askUnixSockets().values()].map(({ file }) => file.ino))
    // The kernel tells of the lower half of an inode alone.
    if (used.has(Number(BigInt.asUintN(32, stat.ino)))) checkBound(-Errno.EADDRINUSE, at)
    checked(unlink(path), 'unlink', { path: displayPath(path) })
  }
}

function unlink(path: string): number {
  using s = scratch()
  return sys('unlink', s.string(path))
}

function fullPath({ name, dir, root }: Address): string {
  const path = pathOfName(name)
  return path.startsWith('/') ? `${root ?? ''}${path}` : `${pathFromText(dir ?? '.')}/${path}`
}

function setPermissions(fd: LocalFd, { perms, name }: Address): void {
  if (!perms) return
  using file = fileOfSocket(fd)
  using s = scratch()
  const path = displayPath(pathOfName(name))
  const empty = s.string('')
  checked(sys('fchownat', file.fd, empty, perms.uid, perms.gid, AT.EMPTY_PATH), 'chown', { path })
  must('chmod', s.string(`/proc/self/fd/${file.fd}`), perms.mode & 0o7777)
}

export const newSocket = (type: number): LocalFd =>
  localFd(must('socket', AF.UNIX, type | SOCK.CLOEXEC, 0))

/** An address that leads to a bound socket, also where its name does not. */
export function wayTo(
  fd: LocalFd,
  name: Uint8Array,
): Disposable & { readonly address: Uint8Array } {
  if (!isPath(name)) return { address: addressBytes(name), [Symbol.dispose]: () => undefined }
  const file = fileOfSocket(fd)
  const path = `/proc/self/fd/${file.fd}\0`
  return {
    address: addressBytes(Buffer.from(path, 'latin1')),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  }
}

import type { Messages } from '../../images/gen/messages.ts'
import { SIOC } from '../../kernel/constants/ioctl.ts'
import { isDirectory, readdirSync, tryStatSync } from '../../kernel/fs.ts'
import { scratch } from '../../kernel/memory.ts'
import { displayPath, pathBytes, pathFromBytes, pathToText } from '../../kernel/proc/bytes.ts'
import { readProcLink, tryReadProcLink } from '../../kernel/proc/read.ts'
import { type FileStat, statFd } from '../../kernel/stat.ts'
import { must, owned, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { isSame, parentOf, tryLstat } from '../files/lookup.ts'
import { refuseFile } from '../files/refuse.ts'

type UnixEntry = Messages['unix_sk_entry']

/** How the name of a socket is found again in the file system. */
export type NameFields = Pick<UnixEntry, 'file_perms' | 'name_dir' | 'deleted'> & {
  readonly root?: string
}

export const isPath = (name: Uint8Array): boolean => name.length > 0 && name[0] !== 0

/** A path as a byte string, without its closing zero. */
export const pathOfName = (name: Uint8Array): string => pathFromBytes(name).replace(/\0.*$/s, '')

/** How a name is written for people: `/run/x`, `@abstract`. */
export const showName = (name: Uint8Array): string =>
  displayPath(isPath(name) ? pathOfName(name) : pathFromBytes(name).replaceAll('\0', '@'))

/** sizeof(struct sockaddr_un), and one more: a path of 108 bytes is given a closing zero. */
const ADDRESS_ROOM = 112

/** The peer's address behind `sun_family`; empty where it has none, undefined without a peer. */
export function tryPeerName(fd: LocalFd): Uint8Array | undefined {
  using s = scratch()
  const address = s.take(ADDRESS_ROOM)
  const length = s.take(4)
  length.view.setUint32(0, ADDRESS_ROOM, true)
  const result = sys('getpeername', fd, address.address, length.address)
  return result < 0 ? undefined : address.bytes.slice(2, length.view.getUint32(0, true))
}

/** The file of a bound socket as an O_PATH descriptor (SIOCUNIXFILE, since Linux 4.20). */
export const fileOfSocket = (fd: LocalFd): ReturnType<typeof owned> =>
  owned(must('ioctl', fd, SIOC.UNIXFILE, 0))

/**
 * The name as it was given to bind may count from a directory that is another by now (`name_dir`),
 * from another root, or lead nowhere any more (`deleted`).
 */
export function nameFields(probe: FdProbe, name: Uint8Array, dump: DumpContext): NameFields {
  using file = fileOfSocket(probe.local)
  const stat = statFd(file.fd)
  const { mode, uid, gid } = stat
  const file_perms = { mode, uid, gid }
  const path = pathOfName(name)
  const link = readProcLink(`/proc/self/fd/${file.fd}`)
  if (path.startsWith('/')) {
    const root = rootsOf(dump).find((one) => isSame(stat, tryLstat(`${one}${path}`)))
    if (root !== undefined) return { file_perms, ...(root !== '' && { root }) }
    refuseIfMoved(probe, path, stat, dump)
    return { file_perms, deleted: true }
  }
  const found = [...directories(path, link, dump)].find((one) =>
    isSame(stat, tryLstat(`${one}/${path}`)),
  )
  if (found === undefined) refuseIfMoved(probe, path, stat, dump)
  const text = pathToText(found ?? parentOf(link))
  if (text === undefined) {
    const what = `unix socket ${displayPath(path)} in a directory whose name is no UTF-8`
    refuseFile(dump, probe, what, 'rename the directory first')
    return { file_perms }
  }
  return { file_perms, name_dir: text, ...(found === undefined && { deleted: true }) }
}

/** A file that is there, but not under the name that the socket has: renamed, or a hard link. */
function refuseIfMoved(probe: FdProbe, path: string, { nlink }: FileStat, dump: DumpContext): void {
  if (nlink === 0) return
  const what = `unix socket ${displayPath(path)}, whose file has another name by now`
  refuseFile(dump, probe, what, 'give the file its old name back')
}

/** Our own root first, as no prefix. */
function rootsOf({ tasks }: DumpContext): string[] {
  const roots = tasks.map(({ proc }) => tryReadProcLink(`${proc}/root`) ?? '/')
  return ['', ...new Set(roots.filter((root) => root !== '/'))]
}

/** Where a relative name may count from: what is left of the file's path, else where tasks are. */
function* directories(path: string, link: string, { tasks }: DumpContext): Generator<string> {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  const ups = parts.findIndex((part) => part !== '..')
  const rest = `/${parts.slice(ups).join('/')}`
  if (link.endsWith(rest)) yield* below(link.slice(0, -rest.length) || '/', ups)
  yield* new Set(tasks.map(({ proc }) => tryReadProcLink(`${proc}/cwd`) ?? '/'))
}

/** A directory so many levels below: any will do for a name that leads up again. */
function* below(directory: string, levels: number): Generator<string> {
  if (levels === 0) {
    yield directory
    return
  }
  for (const name of readdirSync(pathBytes(directory), { encoding: 'latin1' })) {
    const path = `${directory}/${name}`
    const stat = tryStatSync(pathBytes(path))
    if (stat && isDirectory(stat)) yield* below(path, levels - 1)
  }
}

import type { ImageDirectory } from '../../images/directory.ts'
import { fd_types } from '../../images/gen/enums.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { enumValueName } from '../../images/schema.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { messageToJson } from '../json/message.ts'
import { readable } from '../json/text-value.ts'
import type { OpenFile, Socket } from './model.ts'
import { socketOf } from './sockets.ts'

type FileEntry = Messages['file_entry']

/** All open files of the images; a file's id is one across all types. */
export interface Files {
  readonly all: readonly OpenFile[]
  readonly sockets: readonly Socket[]
  /** `/etc/passwd`, `pipe[17]`; undefined: the images do not have it. */
  name(id: number): string | undefined
  entry(id: number): FileEntry | undefined
}

export const typeName = (type: number): string => enumValueName('fd_types', type) ?? `type ${type}`

export function readFiles(images: ImageDirectory): Files {
  const entries = images.tryReadAll('files') ?? []
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  const namer = new Namer(images, byId)
  const queued = queuedBytes(images)
  const sockets = entries.flatMap((entry) => socketOf(entry, queued) ?? [])
  const bySocket = new Map(sockets.map((socket) => [socket.id, socket]))
  const name = (entry: FileEntry): string => namer.name(entry, bySocket.get(entry.id))
  const all = entries.map((entry) => ({
    id: entry.id,
    type: typeName(entry.type),
    name: name(entry),
    flags: flagsOf(entry),
    entry: messageToJson('file_entry', entry),
  }))
  const names = new Map(all.map((file) => [file.id, file.name]))
  return { all, sockets, name: (id) => names.get(id), entry: (id) => byId.get(id) }
}

/** Bytes that wait in sockets: datagrams and pieces of streams by their id, those of TCP by inode. */
function queuedBytes(images: ImageDirectory): (id: number, inode: number) => number {
  const bytes = new Map<number, number>()
  for (const { id_for, length } of images.tryReadAll('sk-queues') ?? []) {
    bytes.set(id_for, (bytes.get(id_for) ?? 0) + length)
  }
  const streams = new Set(images.idsOf('tcp-stream').map(Number))
  const inStream = (inode: number): number => {
    if (!streams.has(inode)) return 0
    return images.readOne('tcp-stream', inode).inq_len
  }
  return (id, inode) => (bytes.get(id) ?? 0) + inStream(inode)
}

/** What each type of open file is called. */
class Namer {
  readonly #byId: ReadonlyMap<number, FileEntry>
  readonly #memfds: ReadonlyMap<number, string>
  readonly #terminals: ReadonlyMap<number, string>

  constructor(images: ImageDirectory, byId: ReadonlyMap<number, FileEntry>) {
    this.#byId = byId
    const memfds = images.tryReadAll('memfd') ?? []
    this.#memfds = new Map(memfds.map(({ inode_id, name }) => [Number(inode_id), readable(name)]))
    const terminals = images.tryReadAll('tty-info') ?? []
    this.#terminals = new Map(
      terminals.map(({ id, type, pty }) => [
        id,
        pty ? `pty ${pty.index}` : (enumValueName('TtyType', type) ?? 'terminal').toLowerCase(),
      ]),
    )
  }

  name(entry: FileEntry, socket: Socket | undefined): string {
    if (entry.reg) return readable(entry.reg.name)
    if (entry.usk && socket) return unixText(entry.usk, socket)
    if (socket) return socketText(socket)
    if (entry.pipe) return `pipe[${entry.pipe.pipe_id}]`
    if (entry.fifo) return this.#fifo(entry.fifo)
    if (entry.memfd) return `/memfd:${this.#memfds.get(entry.memfd.inode_id) ?? '?'}`
    if (entry.tty) return this.#terminal(entry.tty)
    return `${typeName(entry.type)}.${entry.id}${detail(entry)}`
  }

  #fifo({ pipe_id, regf_id }: Messages['fifo_entry']): string {
    const file = regf_id === undefined ? undefined : this.#byId.get(regf_id)?.reg
    return file === undefined ? `fifo[${pipe_id}]` : `fifo[${pipe_id}] ${readable(file.name)}`
  }

  #terminal({ tty_info_id, regf_id }: Messages['tty_file_entry']): string {
    const file = regf_id === undefined ? undefined : this.#byId.get(regf_id)?.reg
    const info = this.#terminals.get(tty_info_id) ?? 'terminal'
    return file === undefined ? `tty[${info}]` : `tty[${info}] ${readable(file.name)}`
  }
}

const socketText = ({ protocol, family, type, state, local, remote }: Socket): string => {
  const head = family.startsWith('inet') ? (protocol ?? type) : `${family} ${protocol ?? type}`
  const ends = remote === '' ? local : `${local} → ${remote}`
  return [`socket[${head}]`, ends, state].filter((part) => part !== '').join(' ')
}

function unixText({ ino, peer }: Messages['unix_sk_entry'], { local }: Socket): string {
  return `unix[${ino} (${peer})${local === '' ? '' : ` ${local}`}]`
}

/** What is worth knowing of objects that have no name. */
function detail({ efd, epfd, sgfd, tfd, pidfd, nsf, bpf, tunf }: FileEntry): string {
  if (efd) return ` counter ${efd.counter}`
  if (epfd) return ` watches ${epfd.tfd.length}`
  if (sgfd) return ` signals 0x${sgfd.sigmask.toString(16)}`
  if (tfd) return ` clock ${tfd.clockid}`
  if (pidfd) return ` of ${pidfd.nspid}`
  if (nsf) return ` namespace ${nsf.ns_id}`
  if (bpf) return ` ${readable(bpf.map_name)}`
  return tunf?.netdev ? ` ${readable(tunf.netdev)}` : ''
}

const FLAG_NAMES = ['APPEND', 'NONBLOCK', 'SYNC', 'DIRECT', 'DIRECTORY', 'PATH', 'NOATIME'] as const

function flagsOf(entry: FileEntry): string | undefined {
  const part = Object.values(entry).find(
    (value): value is { flags: number } =>
      typeof value === 'object' && value !== null && 'flags' in value,
  )
  if (part === undefined) return undefined
  const { flags } = part
  const access = ['r', 'w', 'rw'][flags & O.ACCMODE] ?? '?'
  const names = FLAG_NAMES.filter((name) => (flags & O[name]) === O[name])
  return [access, ...names.map((name) => `O_${name}`)].join(' ')
}

/** Regular files and directories. */
export const isPath = (type: number): boolean => type === fd_types.REG

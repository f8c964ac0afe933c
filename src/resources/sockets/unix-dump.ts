import { fail } from '../../errors/error.ts'
import type { Init } from '../../images/codec.ts'
import type { Messages } from '../../images/gen/messages.ts'
import type { ImageWriter } from '../../images/writer.ts'
import { SIOC } from '../../kernel/constants/ioctl.ts'
import { POLL } from '../../kernel/constants/poll.ts'
import { SCM, SO, SOCK, SOL, TCP_STATE } from '../../kernel/constants/socket.ts'
import { ucred } from '../../kernel/layout/sockets.ts'
import { scratch } from '../../kernel/memory.ts'
import { tryGetOption } from '../../kernel/socket-option.ts'
import { must, owned } from '../../kernel/sys.ts'
import type { FileId, LocalFd } from '../../kernel/types.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { ownerOf } from '../files/owner.ts'
import { refuseFile } from '../files/refuse.ts'
import { nameSocket } from '../files/socket-name.ts'
import { dumpSocketOptions } from './options.ts'
import { pollSocket } from './pending.ts'
import { askUnixSockets, type ToldUnix } from './unix-diag.ts'
import { type Credentials, type UnixExtra, withPacketExtra, withUnixExtra } from './unix-fields.ts'
import { countHidden } from './unix-hidden.ts'
import { isPath, nameFields, pathOfName, showName, tryPeerName } from './unix-name.ts'
import { type Peeked, peekQueue } from './unix-peek.ts'
import { holdsUnread, resolvePeers } from './unix-peers.ts'

type UnixEntry = Messages['unix_sk_entry']

/** Bytes of groups; NGROUPS_MAX of linux/limits.h. */
const FEW_GROUPS = 256
const MOST_GROUPS = 65536 * 4

/** A socket of the tree. */
export interface FoundUnix {
  readonly probe: FdProbe
  readonly id: FileId
  readonly told: ToldUnix
  /** Written as it is once everything is known. */
  readonly entry: UnixEntry
}

/** All unix sockets of a dump. */
export class UnixBook {
  readonly #dump: DumpContext
  readonly #told = new Map<number, ReadonlyMap<number, ToldUnix>>()
  /** Those of the tree, by inode, and in the order in which they were found. */
  readonly #found = new Map<number, FoundUnix>()
  readonly #order: FoundUnix[] = []
  readonly #senders: { readonly probe: FdProbe; readonly name: Uint8Array }[] = []
  #queues: ImageWriter<'sk-queues'> | undefined

  constructor(dump: DumpContext) {
    this.#dump = dump
  }

  /** Notes a socket; its entry is complete once all are known. */
  add(probe: FdProbe, id: FileId): UnixEntry | undefined {
    const ino = Number(probe.stat.ino)
    const told = this.#ask(probe).get(ino)
    if (!told) {
      const what = `${nameSocket(probe.local)} that its network namespace does not list`
      refuseFile(this.#dump, probe, what, 'close it before the dump')
      return undefined
    }
    const entry = describe(probe, id, told, this.#dump)
    const socket = { probe, id, told, entry }
    this.#found.set(ino, socket)
    this.#order.push(socket)
    return entry
  }

  /** Reads all queues; what lies in them may be sockets with queues. */
  collectInFlight(): void {
    for (let i = 0; i < this.#order.length; i++) this.#readQueue(this.#order[i]!)
  }

  finish(): void {
    if (!this.#order.some((socket) => holdsUnread(socket, this.#found))) this.#closeQueues()
    const known = [...this.#told.values()]
    const all = new Map(known.flatMap((told) => [...told]))
    resolvePeers({ tree: this.#found, all, dump: this.#dump })
    this.#refuseSenders(all)
  }

  /** Takes the connections that wait, with what was sent through them: they end with the tree. */
  drain(): void {
    if (this.#dump.options.finalState === 'killed')
      for (const socket of this.#order)
        if (holdsUnread(socket, this.#found)) this.#takeWaiting(socket)
    this.#closeQueues()
  }

  #takeWaiting({ probe, told, entry }: FoundUnix): void {
    const waitingQueues = told.waiting.map(() => {
      using connection = owned(must('accept4', probe.local, 0, 0, SOCK.CLOEXEC | SOCK.NONBLOCK))
      const found = peekQueue(connection.fd, told.type, bytesIn(connection.fd))
      if (found.length === 0) return 0
      const id = this.#dump.files.nextId()
      for (const one of found) {
        if (one.rights.length > 0) failTaken(told)
        this.#writePacket({ probe, id }, one)
      }
      return id
    })
    Object.assign(entry, withUnixExtra(entry, { waitingQueues }))
  }

  #closeQueues(): void {
    this.#queues?.close()
    this.#queues = undefined
  }

  #ask({ task }: FdProbe): ReadonlyMap<number, ToldUnix> {
    const id = task.ids?.net_ns_id ?? 0
    const told = this.#told.get(id) ?? askUnixSockets(`${task.proc}/ns/net`)
    this.#told.set(id, told)
    return told
  }

  #readQueue(socket: FoundUnix): void {
    const { probe, told } = socket
    if (!hasQueue(told, probe.local)) return
    if (told.type !== SOCK.STREAM && pollSocket(probe.local, 0) & POLL.ERR) {
      // Any look at such a queue takes the error.
      const what = `${nameSocket(probe.local)} with messages and an error not yet told`
      refuseFile(this.#dump, probe, what, 'dump again once the program has read from it')
      return
    }
    const queue = peekQueue(probe.local, told.type, told.received)
    if (told.type === SOCK.DGRAM) this.#refuseHidden(socket, queue)
    for (const found of queue) this.#writePacket(socket, found)
  }

  /** Of a pair alone it is known whose memory holds the messages. */
  #refuseHidden({ probe, told }: FoundUnix, queue: readonly Peeked[]): void {
    const peer = this.#ask(probe).get(told.peer)
    if (peer?.peer !== told.ino) return
    const hidden = countHidden(
      queue.map(({ bytes }) => bytes),
      peer.sent,
    )
    if (hidden === 0) return
    const what = `${nameSocket(probe.local)} with ${hidden} empty messages that were looked at before`
    const remedy = 'dump again once the program has read them: the kernel does not show them twice'
    refuseFile(this.#dump, probe, what, remedy)
  }

  #writePacket(socket: Pick<FoundUnix, 'probe' | 'id'>, found: Peeked): void {
    const { probe, id } = socket
    const rights = found.rights.map((fd) => this.#dump.files.idOfHeld(probe, fd))
    const known = rights.filter((one) => one !== undefined)
    if (known.length < rights.length) return // refused by the file's own kind
    if (found.credentials?.pid === 0) {
      const what = `${nameSocket(probe.local)} with a message of a process outside of our pid namespace`
      refuseFile(this.#dump, probe, what, 'dump again once the program has read it')
    }
    if (found.sender) this.#senders.push({ probe, name: found.sender })
    const { credentials } = found
    const packet: Init<Messages['sk_packet_entry']> = {
      id_for: id,
      length: found.bytes.length,
      scm: known.length > 0 ? [{ type: SCM.RIGHTS, rights: known }] : [],
    }
    this.#queues ??= this.#dump.images.writer('sk-queues')
    const extra = {
      ...found,
      ...(credentials && {
        credentials: { ...credentials, pid: nsPidOf(credentials.pid, this.#dump) },
      }),
    }
    this.#queues.entry(withPacketExtra(packet as Messages['sk_packet_entry'], extra), found.bytes)
  }

  /** Messages show the address of their sender, and one in use elsewhere cannot be taken again. */
  #refuseSenders(all: ReadonlyMap<number, ToldUnix>): void {
    const texts = new Map([...all.values()].map((told) => [textOf(told.name), told.ino]))
    for (const { probe, name } of this.#senders) {
      const ino = texts.get(textOf(name))
      if (ino === undefined || this.#found.has(ino) || isPath(name)) continue
      const what = `${nameSocket(probe.local)} with a message of ${showName(name)}, outside of the tree`
      refuseFile(this.#dump, probe, what, 'dump again once the program has read it')
    }
  }
}

const textOf = (name: Uint8Array): string => Buffer.from(name).toString('latin1')

/** Only the number of bytes tells of a stream that its queue is empty; poll tells end of file as well. */
function hasQueue({ type, state, received }: ToldUnix, fd: LocalFd): boolean {
  if (state === TCP_STATE.LISTEN) return false
  return type === SOCK.DGRAM ? (pollSocket(fd, POLL.IN) & POLL.IN) !== 0 : received > 0
}

function describe(probe: FdProbe, id: FileId, told: ToldUnix, dump: DumpContext): UnixEntry {
  const { ino, type, state, name, peer, shutdown } = told
  const named = isPath(name) ? nameFields(probe, name, dump) : {}
  const { root, ...fields } = named
  const entry: UnixEntry = {
    id,
    ino,
    type,
    state,
    flags: probe.flags,
    uflags: 0,
    backlog: told.sent,
    peer,
    fown: ownerOf(probe, dump),
    opts: dumpSocketOptions(probe, dump),
    name,
    ...fields,
    ...(shutdown !== 0 && { shutdown: shutdown as UnixEntry['shutdown'] }),
    ...(probe.task.ids && { ns_id: probe.task.ids.net_ns_id }),
  }
  if (isPath(name) && !pathOfName(name).startsWith('/') && !named.name_dir) return entry // refused
  return withUnixExtra(entry, extraOf(probe, told, root, dump))
}

function extraOf(
  { local }: FdProbe,
  { state, peer, type, waiting }: ToldUnix,
  root: string | undefined,
  dump: DumpContext,
): UnixExtra {
  const peerCredentials = peerCredentialsOf(local, dump)
  const isAlone = state === TCP_STATE.ESTABLISHED && peer === 0
  const peerName = isAlone ? tryPeerName(local) : undefined
  return {
    ...(peerCredentials && { peerCredentials }),
    ...(peerName && { peerName }),
    ...(root !== undefined && { root }),
    waiting,
    reset: isAlone && type !== SOCK.DGRAM && (pollSocket(local, 0) & POLL.ERR) !== 0,
  }
}

/** SO_PEERCRED and SO_PEERGROUPS; undefined where the socket has none: its uid is −1. */
function peerCredentialsOf(fd: LocalFd, dump: DumpContext): Credentials | undefined {
  const raw = tryGetOption(fd, SOL.SOCKET, SO.PEERCRED, ucred.size)
  if (raw?.length !== ucred.size) return undefined
  const { pid, uid, gid } = ucred.decode(raw)
  if (uid === 0xffffffff) return undefined
  const groups = Buffer.from(peerGroups(fd))
  return {
    pid: nsPidOf(pid, dump),
    uid,
    gid,
    groups: Array.from({ length: groups.length >> 2 }, (_, i) => groups.readUInt32LE(i * 4)),
  }
}

/** Mostly few; the kernel says ERANGE where they are more. */
const peerGroups = (fd: LocalFd): Uint8Array =>
  tryGetOption(fd, SOL.SOCKET, SO.PEERGROUPS, FEW_GROUPS) ??
  tryGetOption(fd, SOL.SOCKET, SO.PEERGROUPS, MOST_GROUPS) ??
  new Uint8Array()

/** A pid as the task's own namespace counts it; of one outside of the tree as it is. */
function nsPidOf(pid: number, { tasks }: DumpContext): number {
  return tasks.find((task) => task.pid === pid)?.nsPid ?? pid
}

/** SIOCINQ: of a stream or seqpacket socket all that is to be read. */
function bytesIn(fd: LocalFd): number {
  using s = scratch()
  const answer = s.take(4)
  must('ioctl', fd, SIOC.INQ, answer.address)
  return answer.view.getInt32(0, true)
}

/** Too late for new files: what they hold is written by now. */
function failTaken({ name }: ToldUnix): never {
  const reason = `descriptors were sent to ${showName(name)} through a connection that was not accepted`
  return fail({
    code: 'conflict',
    reason,
    remedy: 'dump again once the program accepts connections',
  })
}

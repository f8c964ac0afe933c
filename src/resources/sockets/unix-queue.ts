import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { F } from '../../kernel/constants/fcntl.ts'
import { MSG, SHUT, SO, SOL } from '../../kernel/constants/socket.ts'
import { Errno } from '../../kernel/errno.ts'
import { setInt } from '../../kernel/socket-option.ts'
import { checked, close, must, sys } from '../../kernel/sys.ts'
import { type FileId, fileId, type LocalFd } from '../../kernel/types.ts'
import { connectOwner, O_ASYNC } from '../files/async.ts'
import { restoreSignal } from '../files/owner.ts'
import type { RestoreContext } from '../restore-model.ts'
import { tryCallWith } from './names.ts'
import { finishSocketOptions, restoreSocketOptions } from './options.ts'
import { addressBytes, bindAll, newSocket, wayTo } from './unix-bind.ts'
import { callbackAnswer } from './unix-callback.ts'
import { packetExtraOf } from './unix-fields.ts'
import { isPath, showName } from './unix-name.ts'
import { isStream, lostAddress, type Send, type UnixNode, type UnixPlan } from './unix-plan.ts'
import { receiveUrgent, sendPacket } from './unix-send.ts'

type Packet = Messages['sk_packet_entry']
type UnixEntry = Messages['unix_sk_entry']

interface Queued {
  readonly packet: Packet
  readonly bytes: Uint8Array
}

/** Bytes of a buffer beside those that lie in it: what the kernel counts for each message. */
const OVERHEAD = 1 << 20
const AF_UNSPEC_ADDRESS = new Uint8Array(2)

/** What follows once every task and file exists: queues, peers of datagram sockets, options. */
export class UnixQueues {
  readonly #plan: UnixPlan
  readonly #restore: RestoreContext
  readonly #queues: ReadonlyMap<number, readonly Queued[]>
  /** Clients that are closed once their connection's queue is filled. */
  readonly #closing = new Map<number, LocalFd>()

  constructor(plan: UnixPlan, restore: RestoreContext) {
    this.#plan = plan
    this.#restore = restore
    const all = restore.images.tryReadWithPayload('sk-queues') ?? []
    const queued = all.map(({ entry, payload }) => ({ packet: entry, bytes: payload }))
    const answers = plan.nodes.flatMap(({ entry }) => callbackAnswer(entry) ?? [])
    this.#queues = Map.groupBy([...queued, ...answers], ({ packet }) => packet.id_for)
  }

  /** Files that wait in the queue of a socket. */
  rightsOf(id: number): FileId[] {
    const queue = this.#queues.get(id) ?? []
    return queue.flatMap(({ packet }) => packet.scm.flatMap(({ rights }) => rights.map(fileId)))
  }

  /** The client of a connection that waits; it was closed when all was sent. */
  closeOnceSent(queue: number, fd: LocalFd): void {
    if (this.#queues.has(queue)) this.#closing.set(queue, fd)
    else close(fd)
  }

  connect(): void {
    const { nodes, sends } = this.#plan
    for (const send of sends) if (send.when === 'early') this.#direct(send)
    this.#fillAll()
    this.#fillWaiting()
    for (const send of sends) if (send.when === 'late') this.#direct(send)
    for (const node of nodes) this.#endOther(node)
    for (const node of nodes) this.#finish(node)
  }

  #fd({ id }: UnixNode): LocalFd {
    return this.#restore.files.description(id)
  }

  #fillAll(): void {
    const partners = partnersOf(this.#plan)
    const named = new Map(this.#plan.bound.map((node) => [textOf(node.entry.name), node] as const))
    const senders = Map.groupBy(
      this.#plan.nodes.filter((node) => !isStream(node)),
      ({ entry }) => entry.peer,
    )
    for (const node of this.#plan.nodes) {
      const queue = this.#queues.get(node.id) ?? []
      if (queue.length === 0) continue
      const partner = node.other ?? (partners.has(node) ? this.#fd(partners.get(node)!) : undefined)
      if (partner !== undefined) this.#fill(node, queue, () => partner, undefined)
      else this.#fillFromMany(node, queue, named, senders.get(node.entry.ino) ?? [])
    }
  }

  #fillWaiting(): void {
    for (const { client, queue } of this.#plan.waiting) {
      const from = client ? this.#fd(client) : this.#closing.get(queue)
      const content = this.#queues.get(queue) ?? []
      if (from !== undefined && content.length > 0)
        this.#fill(undefined, content, () => from, undefined)
      if (from !== undefined && !client) close(from)
    }
    this.#closing.clear()
  }

  #fill(
    node: UnixNode | undefined,
    queue: readonly Queued[],
    senderOf: (one: Queued) => LocalFd,
    to: Uint8Array | undefined,
  ): void {
    const size = queue.reduce((sum, { bytes }) => sum + 2 * bytes.length + 4096, OVERHEAD)
    for (const fd of new Set(queue.map(senderOf)))
      setInt(fd, SOL.SOCKET, SO.SNDBUFFORCE, Math.min(size, 0x3fffffff), 'SO_SNDBUFFORCE')
    for (const one of queue) this.#send(node, one, senderOf(one), to)
  }

  #send(
    node: UnixNode | undefined,
    { packet, bytes }: Queued,
    from: LocalFd,
    to: Uint8Array | undefined,
  ): void {
    const { credentials, urgent } = packetExtraOf(packet)
    if (urgent === 'taken') {
      sendPacket(from, { bytes: Uint8Array.of(0), rights: [], flags: MSG.OOB })
      if (node) receiveUrgent(this.#fd(node))
    }
    const rights = packet.scm.flatMap(({ rights: ids }) =>
      ids.map((id) => this.#restore.files.description(fileId(id))),
    )
    const pid = credentials && this.#hostPidOf(credentials.pid)
    sendPacket(from, {
      bytes,
      rights,
      flags: urgent === 'byte' ? MSG.OOB : 0,
      ...(credentials && { credentials: { ...credentials, pid: pid! } }),
      ...(to && { to }),
    })
  }

  #hostPidOf(pid: number): number {
    return this.#restore.model.tasks.find(({ nsPid }) => nsPid === pid)?.pid ?? pid
  }

  /** A receiver with a name: a message comes from whoever had its address, or from one without. */
  #fillFromMany(
    node: UnixNode,
    queue: readonly Queued[],
    named: ReadonlyMap<string, UnixNode>,
    unnamed: readonly UnixNode[],
  ): void {
    const strangers = new Map<string, LocalFd>()
    const nobody = unnamed.find(({ entry }) => entry.name.length === 0 && entry.backlog > 0)
    const senderOf = ({ packet }: Queued): LocalFd => {
      const name = packetExtraOf(packet).sender
      const text = name ? textOf(name) : ''
      const known = name ? named.get(text) : nobody
      if (known) return this.#fd(known)
      const stranger = strangers.get(text) ?? this.#stranger(node, name)
      strangers.set(text, stranger)
      return stranger
    }
    const fd = this.#fd(node)
    try {
      using way = wayTo(fd, node.entry.name)
      this.#fill(node, queue, senderOf, way.address)
    } finally {
      for (const stranger of strangers.values()) close(stranger)
    }
  }

  /** A socket that is gone, or not ours: its messages show its address all the same. */
  #stranger({ entry }: UnixNode, name: Uint8Array | undefined): LocalFd {
    const fd = newSocket(entry.type)
    if (name) bindAll([{ fd, at: lostAddress(entry.type, name) }], this.#restore)
    return fd
  }

  /** Sets the peer of a datagram socket. */
  #direct({ from, to }: Send): void {
    const fd = this.#fd(from)
    if (!to) {
      checked(connectTo(fd, AF_UNSPEC_ADDRESS), 'connect')
      return
    }
    if (!('entry' in to)) {
      connectOutside(fd, to)
      return
    }
    using way = wayTo(this.#fd(to), to.entry.name)
    checked(connectTo(fd, way.address), 'connect', { path: showName(to.entry.name) })
  }

  /** The end whose peer was closed: with a byte unread, which the kernel tells by ECONNRESET. */
  #endOther(node: UnixNode): void {
    const { other, extra } = node
    if (other === undefined) return
    if (extra.reset) sendPacket(this.#fd(node), { bytes: Uint8Array.of(0), rights: [], flags: 0 })
    if (!isStream(node)) shutDown(this.#fd(node), node.entry)
    close(other)
    node.other = undefined
  }

  #finish(node: UnixNode): void {
    const { entry } = node
    const fd = this.#fd(node)
    restoreSocketOptions(fd, entry.opts)
    finishSocketOptions(fd, entry.opts)
    shutDown(fd, entry)
    must('fcntl', fd, F.SETFL, entry.flags & ~O_ASYNC)
    restoreSignal(fd, entry.fown)
    connectOwner(fd, node.id, entry.flags, entry.fown, this.#restore)
  }
}

const textOf = (name: Uint8Array): string => Buffer.from(name).toString('latin1')

/** The other end of each socket that was made together with one. */
function partnersOf({ pairs, connections, accepted }: UnixPlan): Map<UnixNode, UnixNode> {
  const ends = [
    ...pairs,
    ...[...connections, ...accepted].map(({ client, server }) => [client, server] as const),
  ]
  const partners = new Map<UnixNode, UnixNode>()
  for (const [a, b] of ends) if (a && b) partners.set(a, b).set(b, a)
  return partners
}

const connectTo = (fd: LocalFd, address: Uint8Array): number => tryCallWith('connect', fd, address)

function shutDown(fd: LocalFd, { shutdown = 0 }: UnixEntry): void {
  // READ, WRITE, BOTH of sk_shutdown are 1, 2, 3.
  const how = [undefined, SHUT.RD, SHUT.WR, SHUT.RDWR][shutdown]
  if (how === undefined) return
  const result = sys('shutdown', fd, how)
  // Its peer did it already.
  if (result !== -Errno.ENOTCONN) checked(result, 'shutdown')
}

function connectOutside(fd: LocalFd, { name }: UnixEntry): void {
  const result = connectTo(fd, addressBytes(name))
  if (result >= 0) return
  const path = isPath(name) ? { path: showName(name) } : {}
  fail({
    code: 'conflict',
    ...path,
    reason: `a unix socket was connected to ${showName(name)}, where nobody is now`,
    remedy: 'start the program that has that name first',
  })
}

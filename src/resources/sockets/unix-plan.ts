import type { Messages } from '../../images/gen/messages.ts'
import { SOCK, TCP_STATE } from '../../kernel/constants/socket.ts'
import { type FileId, fileId, type LocalFd } from '../../kernel/types.ts'
import { type UnixExtra, unixExtraOf } from './unix-fields.ts'
import { USK_EXTERN } from './unix-peers.ts'
import { isOfPlugin } from './unix-plugin.ts'

type FileEntry = Messages['file_entry']
type UnixEntry = Messages['unix_sk_entry']

/** A socket that is to be made. */
export interface UnixNode {
  readonly id: FileId
  readonly entry: UnixEntry
  readonly extra: UnixExtra
  /** Ours, until it is handed out. */
  fd: LocalFd | undefined
  /** The other end of one whose peer is closed; it goes once the queue is filled. */
  other: LocalFd | undefined
}

/** A connection that a listener accepted; an end that is undefined is closed again. */
export interface Connection {
  /** Its address and type are those of the listener, and of the accepted socket. */
  readonly at: Address
  readonly client: UnixNode | undefined
  readonly server: UnixNode | undefined
}

/** What is bound where. */
export interface Address {
  readonly type: number
  readonly name: Uint8Array
  /** What a relative path counts from, and an absolute one. */
  readonly dir: string | undefined
  readonly root: string | undefined
  /** No name leads to it. */
  readonly deleted: boolean
  readonly perms: UnixEntry['file_perms']
}

/** How all unix sockets of the images are made, from the images alone. */
export interface UnixPlan {
  readonly nodes: readonly UnixNode[]
  /** By socketpair; without a second one, its end is closed. */
  readonly pairs: readonly (readonly [UnixNode, UnixNode | undefined])[]
  /** By listeners that are in no image any more. */
  readonly connections: readonly Connection[]
  /** By listeners of the images. */
  readonly accepted: readonly (Connection & { readonly listener: UnixNode })[]
  /** By socket. */
  readonly plain: readonly UnixNode[]
  /** Those that are bound to their name, and did not get it by being accepted. */
  readonly bound: readonly UnixNode[]
  readonly listeners: readonly UnixNode[]
  /** Connections that wait to be accepted, in their order. */
  readonly waiting: readonly Waiting[]
  /** Datagram sockets that send to another one by default. */
  readonly sends: readonly Send[]
}

export interface Waiting {
  readonly listener: UnixNode
  /** Undefined where it was closed meanwhile. */
  readonly client: UnixNode | undefined
  /** What `id_for` is in the packets that were sent; 0: none were. */
  readonly queue: number
}

export interface Send {
  readonly from: UnixNode
  /** A socket outside of the tree is told by its entry; undefined: to none any more. */
  readonly to: UnixNode | UnixEntry | undefined
  /**
   * `early`: before its queue is filled, since it is given another peer than the one that it was made
   * with. `late`: after that, since from then on only its peer may send to it.
   */
  readonly when: 'early' | 'late'
}

export function addressOf({ entry, extra }: UnixNode): Address {
  return {
    type: entry.type,
    name: entry.name,
    dir: entry.name_dir || undefined,
    root: extra.root,
    deleted: entry.deleted ?? false,
    perms: entry.file_perms,
  }
}

/** Equal for sockets that are bound to one thing. An abstract name is one for each type. */
export function addressKey({ type, name, dir, root, deleted }: Address): string {
  const text = Buffer.from(name)
    .toString('latin1')
    .replace(/(?<=[^\0])\0+$/, '')
  return [name[0] === 0 ? type : 0, text, dir ?? '', root ?? '', deleted].join('\n')
}

/** `skip`: inodes of sockets that a descriptor of the caller takes the place of. */
export function planUnix(files: Iterable<FileEntry>, skip: ReadonlySet<number>): UnixPlan {
  return new Planner(files, skip).plan()
}

class Planner {
  readonly #nodes: UnixNode[] = []
  readonly #byInode = new Map<number, UnixNode>()
  readonly #external = new Map<number, UnixEntry>()
  readonly #listeners = new Map<string, UnixNode>()
  readonly #done = new Set<UnixNode>()
  readonly #pairs: [UnixNode, UnixNode | undefined][] = []
  readonly #connections: Connection[] = []
  readonly #accepted: (Connection & { listener: UnixNode })[] = []
  readonly #plain: UnixNode[] = []
  readonly #bound: UnixNode[] = []
  readonly #sends: Send[] = []

  constructor(files: Iterable<FileEntry>, skip: ReadonlySet<number>) {
    for (const { usk } of files) {
      if (!usk || skip.has(usk.ino) || isOfPlugin(usk)) continue
      if (usk.uflags & USK_EXTERN) this.#external.set(usk.ino, usk)
      else this.#add(usk)
    }
  }

  plan(): UnixPlan {
    for (const node of this.#nodes) if (isStream(node)) this.#planStream(node)
    for (const node of this.#nodes) if (!isStream(node)) this.#planDatagram(node)
    return {
      nodes: this.#nodes,
      pairs: this.#pairs,
      connections: this.#connections,
      accepted: this.#accepted,
      plain: this.#plain,
      bound: this.#bound,
      listeners: [...this.#listeners.values()],
      waiting: this.#allWaiting(),
      sends: this.#sends,
    }
  }

  #add(entry: UnixEntry): void {
    const node = {
      id: fileId(entry.id),
      entry,
      extra: unixExtraOf(entry),
      fd: undefined,
      other: undefined,
    }
    this.#nodes.push(node)
    this.#byInode.set(entry.ino, node)
    if (entry.state === TCP_STATE.LISTEN) this.#listeners.set(addressKey(addressOf(node)), node)
  }

  #planStream(node: UnixNode): void {
    if (this.#done.has(node)) return
    this.#done.add(node)
    const { entry, extra } = node
    if (entry.state !== TCP_STATE.ESTABLISHED) {
      this.#plain.push(node)
      if (entry.name.length > 0) this.#bound.push(node)
      return
    }
    const peer = this.#byInode.get(entry.peer)
    if (peer?.entry.state === TCP_STATE.LISTEN) {
      // It is made when its connection is; its own name comes with all others.
      if (entry.name.length > 0) this.#bound.push(node)
    } else if (peer && !this.#done.has(peer)) {
      this.#done.add(peer)
      this.#planPair(node, peer)
    } else if (extra.peerName?.length) {
      const at = lostAddress(entry.type, extra.peerName)
      this.#connect({ at, client: node, server: undefined })
    } else if (entry.name.length > 0) {
      this.#connect({ at: addressOf(node), client: undefined, server: node })
    } else this.#pairs.push([node, undefined])
  }

  #planPair(a: UnixNode, b: UnixNode): void {
    const server = this.#serverOf(a, b)
    if (!server) this.#pairs.push([a, b])
    else this.#connect({ at: addressOf(server), client: server === a ? b : a, server })
  }

  /** The one that a listener accepted: it has the listener's address. */
  #serverOf(a: UnixNode, b: UnixNode): UnixNode | undefined {
    const named = [a, b].filter(({ entry }) => entry.name.length > 0)
    const known = named.find((node) => this.#listeners.has(addressKey(addressOf(node))))
    return known ?? named[0]
  }

  #connect(connection: Connection): void {
    const { client, at } = connection
    if (client && client.entry.name.length > 0) this.#bound.push(client)
    const listener = this.#listeners.get(addressKey(at))
    if (listener && listener.entry.type === at.type)
      this.#accepted.push({ ...connection, listener })
    else this.#connections.push(connection)
  }

  #allWaiting(): UnixPlan['waiting'] {
    const established = this.#nodes.filter(({ entry }) => entry.state === TCP_STATE.ESTABLISHED)
    const byPeer = Map.groupBy(established, ({ entry }) => entry.peer)
    return [...this.#listeners.values()].flatMap((listener) => {
      const order = listener.extra.waiting ?? []
      // Upstream does not tell in which order they came.
      const clients = byPeer.get(listener.entry.ino) ?? []
      const rest = clients.filter(({ entry }) => !order.includes(entry.ino))
      const told = order.map((ino) => this.#byInode.get(ino))
      const queues = listener.extra.waitingQueues ?? []
      return [...told, ...rest].map((client, i) => ({ listener, client, queue: queues[i] ?? 0 }))
    })
  }

  #planDatagram(node: UnixNode): void {
    const { entry } = node
    if (entry.name.length > 0) this.#bound.push(node)
    const external = this.#external.get(entry.peer)
    const peer = this.#byInode.get(entry.peer)
    if (external?.name.length) this.#send(node, external, 'late')
    else if (peer && !isTied(node, peer)) this.#send(node, peer, 'late')
    if (this.#done.has(node)) return
    this.#done.add(node)
    if (peer && isTied(node, peer) && !this.#done.has(peer)) {
      this.#done.add(peer)
      this.#pairs.push([node, peer])
      if (peer.entry.peer !== entry.ino)
        this.#send(peer, this.#byInode.get(peer.entry.peer), 'early')
    } else if (node.extra.peerName || (entry.peer !== 0 && !peer && !external?.name.length)) {
      // Its peer is gone. The state does not tell: being connected to has changed it too.
      this.#pairs.push([node, undefined])
    } else this.#plain.push(node)
  }

  #send(from: UnixNode, to: UnixNode | UnixEntry | undefined, when: Send['when']): void {
    if (!this.#sends.some((one) => one.from === from && one.when === 'early'))
      this.#sends.push({ from, to, when })
  }
}

/**
 * Whether a socketpair is the only way to have `node` send to `peer`: one without a name cannot be
 * connected to, and one that was made by socketpair tells who made it.
 */
function isTied(node: UnixNode, peer: UnixNode): boolean {
  if (peer.entry.name.length === 0) return node !== peer
  return peer.entry.peer === node.entry.ino && node.extra.peerCredentials !== undefined
}

/** A name that only sockets which are gone had. */
export const lostAddress = (type: number, name: Uint8Array): Address => ({
  ...nowhere,
  type,
  name,
})

const nowhere = { dir: undefined, root: undefined, deleted: true, perms: undefined } as const

export const isStream = ({ entry }: UnixNode): boolean => entry.type !== SOCK.DGRAM

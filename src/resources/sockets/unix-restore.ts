import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { AF, SOCK } from '../../kernel/constants/socket.ts'
import { close, must } from '../../kernel/sys.ts'
import type { Result, Table } from '../../kernel/table.ts'
import { type FileId, type LocalFd, localFd } from '../../kernel/types.ts'
import type { RestoreContext } from '../restore-model.ts'
import { runAs, runInChild } from './as-process.ts'
import { tryCallWith } from './names.ts'
import { addressBytes, bindAll, newSocket, wayTo } from './unix-bind.ts'
import type { Credentials } from './unix-fields.ts'
import { isPath } from './unix-name.ts'
import {
  addressKey,
  addressOf,
  type Connection,
  lostAddress,
  planUnix,
  type UnixNode,
  type UnixPlan,
  type Waiting,
} from './unix-plan.ts'
import { UnixQueues } from './unix-queue.ts'

type FileEntry = Messages['file_entry']

/** What one call takes of a table, with its data. */
const ROOM = 320
const CHUNK = 100
/** As long a queue as the kernel allows (somaxconn cuts it). */
const LONG_QUEUE = 4096

/** All unix sockets of a restore: opened together, since they need each other, and handed out. */
export class UnixSet {
  readonly #restore: RestoreContext
  readonly #plan: UnixPlan
  readonly #ready = new Map<FileId, UnixNode>()
  readonly queues: UnixQueues
  #isConnected = false

  constructor(restore: RestoreContext) {
    this.#restore = restore
    const inherited = restore.options.inheritFds ?? []
    const given = inherited.flatMap(
      ({ resource }) => /^socket:\[(\d+)\]$/.exec(resource)?.[1] ?? [],
    )
    this.#plan = planUnix(restore.model.files.values(), new Set(given.map(Number)))
    this.queues = new UnixQueues(this.#plan, restore)
  }

  /** The descriptor of a socket, for its one owner. */
  take({ id }: FileEntry): LocalFd {
    if (this.#ready.size === 0) this.#open()
    const node = this.#ready.get(id as FileId)
    if (node?.fd === undefined) return failMissing(id)
    const { fd } = node
    node.fd = undefined
    return fd
  }

  /** Once all tasks and files exist. */
  connect(): void {
    if (this.#isConnected) return
    this.#isConnected = true
    this.queues.connect()
  }

  #open(): void {
    const { nodes, pairs, connections, accepted, plain, bound, listeners, waiting } = this.#plan
    for (const node of nodes) this.#ready.set(node.id, node)
    this.#restore.atEnd(() => this.#closeRest())
    this.#makePairs(pairs)
    this.#connectThrough(connections)
    for (const node of plain) node.fd = newSocket(node.entry.type)
    const unmade = waiting
      .flatMap(({ client }) => client ?? [])
      .filter(({ fd }) => fd === undefined)
    for (const client of unmade) client.fd = newSocket(client.entry.type)
    bindAll(
      bound
        .filter(({ fd }) => fd !== undefined)
        .map((node) => ({ fd: node.fd!, at: addressOf(node) })),
      this.#restore,
    )
    this.#nameTheDead(pairs)
    this.#listen(listeners, () => LONG_QUEUE)
    this.#accept(accepted.map((one) => ({ ...one, by: one.listener.fd! })))
    bindAll(
      accepted.flatMap(({ client }) =>
        client && client.entry.name.length > 0 ? [{ fd: client.fd!, at: addressOf(client) }] : [],
      ),
      this.#restore,
    )
    for (const one of waiting) this.#wait(one)
    this.#listen(listeners, ({ entry }) => entry.backlog)
  }

  /** What nobody asked for, and ends of those whose peer is closed. */
  #closeRest(): void {
    for (const node of this.#plan.nodes) {
      for (const fd of [node.fd, node.other]) if (fd !== undefined) close(fd)
      node.fd = node.other = undefined
    }
  }

  #makePairs(pairs: UnixPlan['pairs']): void {
    this.#inTurn(
      pairs,
      ([{ extra }]) => extra.peerCredentials,
      'make a socketpair',
      ([a, b], table) => {
        const ends = table.space(8)
        table.call('socketpair', AF.UNIX, a.entry.type | SOCK.CLOEXEC, 0, ends)
        return () => {
          a.fd = localFd(ends.view.getInt32(0, true))
          const end = localFd(ends.view.getInt32(4, true))
          if (b) b.fd = end
          else a.other = end
        }
      },
    )
  }

  /** The name of a closed peer of a datagram socket, unless another one has it by now. */
  #nameTheDead(pairs: UnixPlan['pairs']): void {
    for (const [{ entry, extra, other }] of pairs) {
      const name = extra.peerName
      if (other === undefined || !name?.length) continue
      if (isPath(name)) bindAll([{ fd: other, at: lostAddress(entry.type, name) }], this.#restore)
      else tryCallWith('bind', other, addressBytes(name))
    }
  }

  /** Listeners that are in no image: made for this, in the name of those who had them. */
  #connectThrough(connections: readonly Connection[]): void {
    const groups = Map.groupBy(
      connections,
      ({ at, client }) => `${addressKey(at)}\n${at.type}\n${keyOf(client?.extra.peerCredentials)}`,
    )
    for (const group of groups.values()) {
      const { at, client } = group[0]!
      const listener = newSocket(at.type)
      try {
        bindAll([{ fd: listener, at }], this.#restore)
        this.#runAs(client?.extra.peerCredentials, 'listen', ROOM, (table) => {
          table.call('listen', listener, LONG_QUEUE)
        })
        this.#accept(group.map((one) => ({ ...one, by: listener })))
      } finally {
        close(listener)
      }
      const clients = group.flatMap(({ client: one }) => (one?.entry.name.length ? [one] : []))
      bindAll(
        clients.map((node) => ({ fd: node.fd!, at: addressOf(node) })),
        this.#restore,
      )
    }
  }

  #accept(connections: readonly (Connection & { readonly by: LocalFd })[]): void {
    for (const [by, some] of Map.groupBy(connections, (one) => one.by))
      for (let at = 0; at < some.length; at += CHUNK)
        this.#acceptSome(by, some.slice(at, at + CHUNK))
  }

  /** Connections are accepted in the order in which they were made. */
  #acceptSome(by: LocalFd, some: readonly Connection[]): void {
    const address = some[0]!.at
    using way = wayTo(by, address.name)
    const clients: LocalFd[] = []
    for (const run of runsOf(some, ({ server }) => server?.extra.peerCredentials)) {
      let made: Result[] = []
      this.#runAs(
        run[0]!.server?.extra.peerCredentials,
        'connect',
        2 * run.length * ROOM,
        (table) => {
          made = run.map(() => {
            const fd = table.call('socket', AF.UNIX, address.type | SOCK.CLOEXEC, 0)
            table.call('connect', fd, table.data(way.address), way.address.length)
            return fd
          })
        },
      )
      clients.push(...made.map(({ number }) => localFd(number)))
    }
    for (const [i, { client, server }] of some.entries()) {
      const accepted = localFd(must('accept4', by, 0, 0, SOCK.CLOEXEC))
      keep(client, server, clients[i]!)
      keep(server, client, accepted)
    }
  }

  #wait({ listener, client, queue }: Waiting): void {
    const at = addressOf(listener)
    using way = wayTo(listener.fd!, at.name)
    const fd = client?.fd ?? newSocket(at.type)
    const who = client && this.#holderOf(client)
    this.#runAs(who, 'connect', ROOM, (table) => {
      table.call('connect', fd, table.data(way.address), way.address.length)
    })
    if (!client) this.queues.closeOnceSent(queue, fd)
  }

  /** The kernel notes who connects; it does not tell before the connection is accepted. */
  #holderOf({ id }: UnixNode): Credentials | undefined {
    const task = this.#restore.model.tasks.find(({ fds }) => fds.some((one) => one.id === id))
    const creds = task?.threads[0]?.core.thread_core?.creds
    if (!task || !creds) return undefined
    return { pid: task.nsPid, uid: creds.euid, gid: creds.egid, groups: creds.groups }
  }

  #listen(listeners: readonly UnixNode[], backlogOf: (node: UnixNode) => number): void {
    this.#inTurn(
      listeners,
      ({ extra }) => extra.peerCredentials,
      'listen',
      (node, table) => {
        table.call('listen', node.fd!, backlogOf(node))
        return undefined
      },
    )
  }

  /** Something for each item, by processes with the ids that the kernel is to note. */
  #inTurn<T>(
    items: readonly T[],
    who: (item: T) => Credentials | undefined,
    operation: string,
    add: (item: T, table: Table) => (() => void) | undefined,
  ): void {
    for (const group of Map.groupBy(items, (item) => keyOf(who(item))).values())
      for (let at = 0; at < group.length; at += CHUNK) {
        const some = group.slice(at, at + CHUNK)
        const reads: ((() => void) | undefined)[] = []
        this.#runAs(who(some[0]!), operation, some.length * ROOM, (table) => {
          reads.length = 0
          for (const item of some) reads.push(add(item, table))
        })
        for (const read of reads) read?.()
      }
  }

  #runAs(
    who: Credentials | undefined,
    operation: string,
    room: number,
    add: (table: Table) => void,
  ): void {
    if (who && runAs(who, add, room, operation)) return
    if (who)
      this.#restore.log.warn(
        `process ${who.pid} is there: SO_PEERCRED of a unix socket names another pid than before`,
      )
    if (who && runAs({ ...who, pid: 0 }, add, room, operation)) return
    runInChild(add, room, operation)
  }
}

/** Neighbours of the same process together. */
function runsOf<T>(items: readonly T[], who: (item: T) => Credentials | undefined): T[][] {
  const runs: T[][] = []
  let last: string | undefined
  for (const item of items) {
    const key = keyOf(who(item))
    if (key === last) runs.at(-1)!.push(item)
    else runs.push([item])
    last = key
  }
  return runs
}

const keyOf = (who: Credentials | undefined): string =>
  who ? [who.pid, who.uid, who.gid, ...who.groups].join(' ') : ''

/** An end of a connection: its own node's, or to be closed once the other one has its queue. */
function keep(node: UnixNode | undefined, other: UnixNode | undefined, fd: LocalFd): void {
  if (node) node.fd = fd
  else if (other) other.other = fd
  else close(fd)
}

const failMissing = (id: number): never =>
  fail({
    code: 'image',
    file: 'files.img',
    reason: `file ${id} is no unix socket that can be made`,
  })

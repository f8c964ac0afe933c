import { type ErrorDetail, fail } from '../errors/error.ts'
import { NETLINK } from '../kernel/constants/netlink.ts'
import { NFPROTO, NFT_MSG, NFTA_CHAIN, NFTA_TABLE } from '../kernel/constants/nf-tables.ts'
import { SO, SOL } from '../kernel/constants/socket.ts'
import { Errno } from '../kernel/errno.ts'
import { scratch } from '../kernel/memory.ts'
import { parseAttributes } from '../kernel/netlink/attributes.ts'
import type { NetNamespace } from '../kernel/netlink/namespace.ts'
import { datagramOf, type NetlinkAnswer, NetlinkSocket } from '../kernel/netlink/socket.ts'
import { sys } from '../kernel/sys.ts'
import type { Connection } from './connection.ts'
import { isStale, type LockMark, parseMark } from './mark.ts'
import { lockMessages, nfgenmsg, nftType, unlockMessages } from './nft-messages.ts'

/** What locks are called: `CRIU-` and the id of the dump (upstream's name). */
export const TABLE_PREFIX = 'CRIU-'

/** Of a kernel without nf_tables, or without tables of the family inet. */
const UNSUPPORTED: readonly number[] = [
  Errno.EOPNOTSUPP,
  Errno.EPROTONOSUPPORT,
  Errno.EAFNOSUPPORT,
  Errno.ENOENT, // no chains of that type in this family; to remove: no such table
]

/** The messages of a lock of so many connections are sent as one; the usual limit is 208 KiB. */
const BYTES_PER_CONNECTION = 128
const OTHER_BYTES = 64 << 10

/** Makes the lock in one transaction. False: this kernel lacks what it takes. */
export function tryLock(
  table: string,
  connections: readonly Connection[],
  mark: LockMark,
  namespace?: NetNamespace,
): boolean {
  using socket = tryNetfilter(namespace)
  if (!socket) return false
  makeRoom(socket, OTHER_BYTES + connections.length * BYTES_PER_CONNECTION)
  const refused = socket.tryTransaction(lockMessages(table, connections, mark))
  if (refused && !UNSUPPORTED.includes(refused.errno))
    failLock('lock connections by nftables', refused)
  return refused === undefined
}

/** Removes a lock; false: there is none of that name. */
export function unlock(table: string, namespace?: NetNamespace): boolean {
  using socket = tryNetfilter(namespace)
  if (!socket) return false
  const refused = socket.tryTransaction(unlockMessages(table))
  if (refused && !UNSUPPORTED.includes(refused.errno))
    failLock('unlock connections by nftables', refused)
  return refused === undefined
}

/** What removes a lock: a datagram, and the socket that it is to be sent on; who takes it closes that. */
export interface Removal {
  readonly socket: NetlinkSocket
  readonly datagram: Uint8Array
}

/** For one who can make system calls and nothing else, because criu is no more. */
export function tryRemoval(table: string, namespace?: NetNamespace): Removal | undefined {
  const socket = tryNetfilter(namespace)
  return socket && { socket, datagram: datagramOf(unlockMessages(table)) }
}

/** Removes locks that outlived their jobs (see mark.ts); their tables' names. */
export function sweep(namespace?: NetNamespace): string[] {
  using socket = tryNetfilter(namespace)
  if (!socket) return []
  const stale = tables(socket).filter(({ mark }) => mark !== undefined && isStale(mark))
  for (const { name } of stale) socket.tryTransaction(unlockMessages(name))
  return stale.map(({ name }) => name)
}

/** Are there chains of that name, in whatever table: iptables-nft has its rules here as well. */
export function hasChains(prefix: string, namespace?: NetNamespace): boolean {
  using socket = tryNetfilter(namespace)
  if (!socket) return false
  const asked = nfgenmsg(NFPROTO.UNSPEC, 0)
  return socket
    .tryDump(nftType(NFT_MSG.GETCHAIN), asked)
    .messages.map(({ body }) => parseAttributes(body, asked.length).string(NFTA_CHAIN.NAME))
    .some((name) => name?.startsWith(prefix))
}

interface FoundTable {
  readonly name: string
  readonly mark: LockMark | undefined
}

/** Those of locks; none where we may not ask, or there is nobody to answer. */
function tables(socket: NetlinkSocket): FoundTable[] {
  const asked = nfgenmsg(NFPROTO.INET, 0)
  const { messages } = socket.tryDump(nftType(NFT_MSG.GETTABLE), asked)
  return messages.flatMap(({ body }) => {
    const attributes = parseAttributes(body, asked.length)
    const name = attributes.string(NFTA_TABLE.NAME) ?? ''
    const data = attributes.bytes(NFTA_TABLE.USERDATA)
    const text = data && Buffer.from(data).toString('latin1')
    return name.startsWith(TABLE_PREFIX) ? [{ name, mark: text ? parseMark(text) : undefined }] : []
  })
}

/** Undefined: a kernel without netfilter has no such protocol. */
function tryNetfilter(namespace?: NetNamespace): NetlinkSocket | undefined {
  try {
    return new NetlinkSocket(NETLINK.NETFILTER, namespace)
  } catch (error) {
    const errno = (error as { detail?: ErrorDetail }).detail
    if (errno?.code === 'syscall' && errno.errno === Errno.EPROTONOSUPPORT) return undefined
    throw error
  }
}

/** SO_SNDBUFFORCE counts the kernel's own overhead in. Without the right to: what is allowed. */
function makeRoom({ fd }: NetlinkSocket, size: number): void {
  using s = scratch()
  const value = s.take(4)
  value.view.setInt32(0, size, true)
  sys('setsockopt', fd, SOL.SOCKET, SO.SNDBUFFORCE, value.address, 4)
}

function failLock(operation: string, { errno, text }: NetlinkAnswer): never {
  const words = text === undefined ? '' : ` (the kernel says: ${text})`
  return fail({ code: 'syscall', operation: `${operation}${words}`, errno })
}

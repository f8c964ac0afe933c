import { SOCK, TCP_STATE } from '../../kernel/constants/socket.ts'
import type { DumpContext } from '../dump-model.ts'
import { noOwner } from '../files/owner.ts'
import { refuseFile } from '../files/refuse.ts'
import { nameSocket } from '../files/socket-name.ts'
import { markCallback } from './unix-callback.ts'
import type { ToldUnix } from './unix-diag.ts'
import type { FoundUnix } from './unix-dump.ts'
import { isPath, pathOfName, showName } from './unix-name.ts'
import { isKeptByPlugin } from './unix-plugin.ts'

/** UNIXSK of fd_types. */
const TYPE = 5
/** Bit of unix_sk_entry.uflags: a socket outside of the tree, there for its name. */
export const USK_EXTERN = 1

export interface PeerSearch {
  /** Sockets of the tree by inode. */
  readonly tree: ReadonlyMap<number, FoundUnix>
  /** All sockets of the network namespaces. */
  readonly all: ReadonlyMap<number, ToldUnix>
  readonly dump: DumpContext
}

/**
 * Finds for each connected socket the one at its other end: in the tree, waiting to be accepted by a
 * listener of the tree, or outside, which is refused unless the user allows it.
 */
export function resolvePeers(search: PeerSearch): void {
  const { tree, all, dump } = search
  const listeners = new Map<number, number>()
  for (const { ino, waiting } of all.values())
    for (const client of waiting) if (client !== 0) listeners.set(client, ino)
  const written = new Set<number>()
  for (const socket of tree.values()) {
    const { told, entry } = socket
    if (told.state === TCP_STATE.LISTEN) checkWaiting(socket, search)
    const listener = listeners.get(told.ino)
    const peer = listener ?? told.peer
    if (peer === 0) continue
    entry.peer = peer
    const other = all.get(peer)
    if (tree.has(peer)) continue
    if (BigInt(peer) === dump.client?.socket) {
      markCallback(entry)
      continue
    }
    if (isKeptByPlugin(socket, other, dump)) continue
    if (!isAllowed(socket, peer, other, dump)) continue
    if (!written.has(peer)) dump.files.add(externalEntry(peer, other, search))
    written.add(peer)
  }
}

/**
 * Connections in a listener's queue. No descriptor leads to them: what was sent through one can only be
 * read once it is accepted, and that cannot be undone. So it is done only where the tree ends.
 */
function checkWaiting({ probe, told }: FoundUnix, { tree, dump }: PeerSearch): void {
  const what = `${nameSocket(probe.local)} listening at ${showName(told.name)}`
  const accept = 'dump again once the program has accepted it'
  const isEnd = dump.options.finalState === 'killed'
  const remedy = `${accept}, or have the dump end the tree`
  for (const ino of told.waiting) {
    const client = tree.get(ino)
    if (ino !== 0 && !client)
      refuseFile(dump, probe, `${what}, with a connection from outside of the tree`, accept)
    else if (!isEnd && !client)
      refuseFile(dump, probe, `${what}, with a connection whose client is closed`, remedy)
    else if (!isEnd && client!.told.sent > 0)
      refuseFile(dump, probe, `${what}, with a connection through which bytes were sent`, remedy)
  }
}

/** Whether anything can be in the queues of the connections that wait. */
export const holdsUnread = ({ told }: FoundUnix, tree: PeerSearch['tree']): boolean =>
  told.waiting.some((ino) => (tree.get(ino)?.told.sent ?? 1) > 0)

/** Whether the peer may stay behind, by --ext-unix-sk or --external unix[…]; refuses it otherwise. */
function isAllowed(
  { probe, told }: FoundUnix,
  peer: number,
  other: ToldUnix | undefined,
  dump: DumpContext,
): boolean {
  const { extUnixSk, external = [] } = dump.options
  const inodes = [BigInt(told.ino), BigInt(peer)]
  const isNamed =
    extUnixSk.inodes.some((inode) => inodes.includes(inode)) ||
    external.some((one) => one.kind === 'unix' && inodes.includes(one.inode))
  const isReachable = told.type === SOCK.DGRAM && other !== undefined && other.name.length > 0
  if (isNamed) return true
  if (isReachable && isRelative(other)) {
    const what = `${describe(probe.local, other)}, whose name is relative`
    refuseFile(dump, probe, what, 'dump a tree that holds both')
    return false
  }
  if (isReachable && extUnixSk.allowed && extUnixSk.inodes.length === 0) return true
  const remedy = isReachable
    ? 'dump with --ext-unix-sk, or a tree that holds both'
    : `dump a tree that holds both ends, or with --external unix[${told.ino}]: it then comes back as if its peer were closed`
  const option = isReachable ? '--ext-unix-sk' : `--external unix[${told.ino}]`
  refuseFile(dump, probe, describe(probe.local, other), remedy, option)
  return false
}

function describe(fd: number, other: ToldUnix | undefined): string {
  const name = other?.name.length ? ` (${showName(other.name)})` : ''
  return `${nameSocket(fd)} whose peer${name} is outside of the tree`
}

const isRelative = ({ name }: ToldUnix): boolean =>
  isPath(name) && !pathOfName(name).startsWith('/')

/** A socket that is not ours: its name is all that a restore needs. */
function externalEntry(ino: number, other: ToldUnix | undefined, { dump }: PeerSearch) {
  const id = dump.files.nextId()
  const isUsable = other?.type === SOCK.DGRAM && !isRelative(other)
  return {
    type: TYPE,
    id,
    usk: {
      id,
      ino,
      type: SOCK.DGRAM,
      state: TCP_STATE.LISTEN,
      flags: 0,
      uflags: USK_EXTERN,
      backlog: 0,
      peer: 0,
      fown: noOwner,
      opts: noOptions,
      name: isUsable ? other.name : new Uint8Array(),
    },
  } as const
}

const noOptions = {
  so_sndbuf: 0,
  so_rcvbuf: 0,
  so_snd_tmo_sec: 0n,
  so_snd_tmo_usec: 0n,
  so_rcv_tmo_sec: 0n,
  so_rcv_tmo_usec: 0n,
  so_filter: [],
}

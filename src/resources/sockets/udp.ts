import { IPPROTO } from '../../kernel/constants/ip.ts'
import { POLL } from '../../kernel/constants/poll.ts'
import { SHUT, SOCK, SOL, TCP_STATE } from '../../kernel/constants/socket.ts'
import { UDP } from '../../kernel/constants/udp.ts'
import { tryGetInt } from '../../kernel/socket-option.ts'
import { sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { FdProbe } from '../dump-model.ts'
import { injectDatagrams } from './datagram-inject.ts'
import { restoreNames } from './datagram-names.ts'
import { collectDatagrams, datagramsOf, writeDatagrams } from './datagram-queue.ts'
import { InetBook } from './inet-diag.ts'
import type { InetEntry, InetProtocol } from './inet-protocol.ts'
import { restoreMemberships, withMemberships } from './memberships.ts'
import { dumpRows, restoreRows } from './option-table.ts'
import { hasPendingError, holdsUnsent, pollSocket } from './pending.ts'
import type { Refusal } from './refusal.ts'
import { udpRows } from './udp-options.ts'

const books: Readonly<Record<number, InetBook>> = {
  [IPPROTO.UDP]: new InetBook(IPPROTO.UDP),
  [IPPROTO.UDPLITE]: new InetBook(IPPROTO.UDPLITE),
}

/** RCV_SHUTDOWN and SEND_SHUTDOWN (include/net/sock.h), as sk_shutdown of images. */
const CLOSED = { read: 1, write: 2 } as const

/** udp(7) and udplite(7): names, groups, and the datagrams that lie unread. */
export const udp: InetProtocol = {
  has: (type, protocol) => type === SOCK.DGRAM && books[protocol] !== undefined,
  dump(probe, bare, dump) {
    const told = books[bare.proto]!.of(probe, bare.family, dump)
    const shutdown = told?.shutdown ?? shutdownByPoll(probe.local)
    // Also where the port of the peer is 0, which getpeername takes for none.
    const isConnected = told?.state === TCP_STATE.ESTABLISHED
    const entry = {
      ...bare,
      ...(isConnected && { state: told.state, ...told.destination }),
      ...(shutdown !== 0 && { shutdown: shutdown as NonNullable<InetEntry['shutdown']> }),
    }
    const why = whyRefused(probe) ?? collectDatagrams(probe, bare.id, dump)
    if (why) return why
    return dumpRows(probe.local, udpRows(bare.proto), withMemberships(probe, entry, dump))
  },
  finishDump: writeDatagrams,

  open(fd, entry, restore) {
    injectDatagrams(fd, datagramsOf(entry.id, restore), entry)
    restoreNames(fd, entry)
    restoreMemberships(fd, entry)
    restoreRows(fd, udpRows(entry.proto), entry)
    restoreShutdown(fd, entry.shutdown ?? 0)
  },
}

/** Of a socket without a port; that it sends no more is then not told. */
const shutdownByPoll = (fd: LocalFd): number =>
  pollSocket(fd, POLL.RDHUP) & POLL.RDHUP ? CLOSED.read : 0

/** Works without a destination as well, whatever it answers (man 2 shutdown, ENOTCONN). */
export function restoreShutdown(fd: LocalFd, shutdown: number): void {
  if (shutdown & CLOSED.read) sys('shutdown', fd, SHUT.RD)
  if (shutdown & CLOSED.write) sys('shutdown', fd, SHUT.WR)
}

function whyRefused({ local }: FdProbe): Refusal | undefined {
  if (tryGetInt(local, SOL.UDP, UDP.ENCAP))
    return { what: 'of a tunnel (UDP_ENCAP)', remedy: 'let the program close it first' }
  if (hasPendingError(local))
    return { what: 'with an error not yet read', remedy: 'try again once the program has read it' }
  if (holdsUnsent(local))
    return {
      what: 'with data not yet sent (UDP_CORK, MSG_MORE)',
      remedy: 'try again once it is sent',
    }
  return undefined
}

import { IPPROTO } from '../../kernel/constants/ip.ts'
import { AF, SOCK, TCP_STATE } from '../../kernel/constants/socket.ts'
import { restoreNames } from './datagram-names.ts'
import type { InetEntry, InetProtocol } from './inet-protocol.ts'
import { restoreMemberships, withMemberships } from './memberships.ts'
import { ProcBook } from './proc-sockets.ts'
import { whyRefused } from './raw.ts'

const books: Readonly<Record<number, ProcBook>> = {
  [AF.INET]: new ProcBook('icmp'),
  [AF.INET6]: new ProcBook('icmp6'),
}

/** Sockets for echo requests (man 7 icmp, ping_group_range); their port is the identifier. */
export const ping: InetProtocol = {
  has: (type, protocol) =>
    type === SOCK.DGRAM && (protocol === IPPROTO.ICMP || protocol === IPPROTO.ICMPV6),
  dump(probe, bare, dump) {
    const why = whyRefused(probe, bare)
    if (why) return why
    const told = books[bare.family]!.of(probe, dump)
    const isConnected = told?.state === TCP_STATE.ESTABLISHED
    const entry: InetEntry = {
      ...bare,
      ...(isConnected && { state: TCP_STATE.ESTABLISHED, dst_addr: [...told.destination] }),
    }
    return withMemberships(probe, entry, dump)
  },

  open(fd, entry) {
    restoreNames(fd, entry)
    restoreMemberships(fd, entry)
  },
}

import { IPPROTO } from '../../kernel/constants/ip.ts'
import { AF, MSG, SOCK, TCP_STATE } from '../../kernel/constants/socket.ts'
import { Errno } from '../../kernel/errno.ts'
import { tryReadProcFile } from '../../kernel/proc/read.ts'
import { sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { FdProbe } from '../dump-model.ts'
import { restoreNames } from './datagram-names.ts'
import type { InetEntry, InetProtocol } from './inet-protocol.ts'
import { restoreMemberships, withMemberships } from './memberships.ts'
import { hasPendingError, holdsUnsent, receiveMemory } from './pending.ts'
import { ProcBook } from './proc-sockets.ts'
import { dumpRawOptions, restoreRawOptions } from './raw-options.ts'
import type { Refusal } from './refusal.ts'

/** IGMP, which programs that route multicast speak (linux/in.h). */
const IGMP = 2

const books: Readonly<Record<number, ProcBook>> = {
  [AF.INET]: new ProcBook('raw'),
  [AF.INET6]: new ProcBook('raw6'),
}

/**
 * raw(7). What lies unread is refused: every raw socket of a protocol would get it once more. What
 * comes while a restore sets its filters is passed over.
 */
export const raw: InetProtocol = {
  has: (type) => type === SOCK.RAW,
  dump(probe, bare, dump) {
    const why = whyRefused(probe, bare)
    if (why) return why
    const told = books[bare.family]!.of(probe, dump)
    const isConnected = told?.state === TCP_STATE.ESTABLISHED
    const entry: InetEntry = {
      ...bare,
      ...(isConnected && { state: TCP_STATE.ESTABLISHED, dst_addr: [...told.destination] }),
      ip_opts: { ...bare.ip_opts, raw: dumpRawOptions(probe.local, bare.proto) },
    }
    return withMemberships(probe, entry, dump)
  },

  open(fd, entry) {
    const options = entry.ip_opts?.raw
    if (options) restoreRawOptions(fd, entry.proto, options)
    // The port that the kernel tells of is the protocol.
    restoreNames(fd, { ...entry, src_port: 0 })
    restoreMemberships(fd, entry)
  },
  connect: (fd) => passOver(fd),
}

export function whyRefused(
  { local, task }: FdProbe,
  { proto, family }: InetEntry,
): Refusal | undefined {
  if (receiveMemory(local) > 0)
    return { what: 'with packets not yet read', remedy: 'try again once the program has read them' }
  if (hasPendingError(local))
    return { what: 'with an error not yet read', remedy: 'try again once the program has read it' }
  if (holdsUnsent(local))
    return { what: 'with packets not yet sent', remedy: 'try again once they are sent' }
  const table = routersTable(family, proto)
  if (table && (tryReadProcFile(`${task.proc}/net/${table}`) ?? '').trim().includes('\n'))
    return { what: 'that may route multicast (MRT_INIT)', remedy: 'let the program close it first' }
  return undefined
}

/** The kernel does not tell which socket routes multicast, but by what devices. */
function routersTable(family: number, proto: number): string | undefined {
  if (family === AF.INET6) return proto === IPPROTO.ICMPV6 ? 'ip6_mr_vif' : undefined
  return proto === IGMP ? 'ip_mr_vif' : undefined
}

/** Takes what is in the queue: it came before the socket was what it is again. */
function passOver(fd: LocalFd): void {
  while (true) {
    const result = sys('recvfrom', fd, 0, 0, MSG.DONTWAIT | MSG.TRUNC, 0, 0)
    if (result < 0 && result !== -Errno.EINTR) return
  }
}

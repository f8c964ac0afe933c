import { fail } from '../../errors/error.ts'
import { MSG, SCM, SOL } from '../../kernel/constants/socket.ts'
import { Errno } from '../../kernel/errno.ts'
import { cmsghdr, msghdr, sizeOf, ucred } from '../../kernel/layout/index.ts'
import { iovec } from '../../kernel/layout/memory.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { runAs } from './as-process.ts'
import type { Credentials } from './unix-fields.ts'

export interface Outgoing {
  readonly bytes: Uint8Array
  readonly rights: readonly LocalFd[]
  readonly flags: number
  readonly credentials?: Omit<Credentials, 'groups'>
  /** A struct sockaddr_un; undefined for a connected socket. */
  readonly to?: Uint8Array
}

/** Bytes of a stream that one call sends: they stand in scratch memory. */
const CHUNK = 1 << 20
const HELPER_ROOM = 4096

/** Sends one message, or some bytes of a stream; descriptors go with its first byte. */
export function sendPacket(from: LocalFd, packet: Outgoing): void {
  let sent = 0
  do {
    const rest = packet.bytes.subarray(sent, sent + CHUNK)
    sent += sendSome(from, { ...packet, bytes: rest, rights: sent === 0 ? packet.rights : [] })
  } while (sent < packet.bytes.length)
}

function sendSome(from: LocalFd, { bytes, rights, flags, credentials, to }: Outgoing): number {
  using s = scratch()
  const data = s.put(bytes)
  const control = s.put(controlBytes(rights, credentials))
  const part = s.put(iovec.encode({ base: data.address, len: BigInt(bytes.length) }))
  const name = to && s.put(to)
  const header = s.put(
    msghdr.encode({
      name: name?.address ?? 0n,
      namelen: to?.length ?? 0,
      iov: part.address,
      iovlen: 1n,
      control: control.bytes.length > 0 ? control.address : 0n,
      controllen: BigInt(control.bytes.length),
    }),
  )
  const how = flags | MSG.DONTWAIT | MSG.NOSIGNAL
  const result = sys('sendmsg', from, header.address, how)
  if (result === -Errno.ESRCH && credentials) {
    sendAs(credentials, from, header.address, how)
    return bytes.length
  }
  if (result === -Errno.EAGAIN)
    fail({
      code: 'conflict',
      reason: 'the queue of a unix socket holds fewer messages here than where it was dumped',
      remedy: 'raise the sysctl net.unix.max_dgram_qlen',
    })
  return checked(result, 'sendmsg of what waited in a unix socket')
}

/** A process that is gone cannot be named by others: one with its pid sends this. */
function sendAs(
  credentials: Omit<Credentials, 'groups'>,
  from: LocalFd,
  header: bigint,
  flags: number,
): void {
  const who = { ...credentials, groups: [], uid: 0, gid: 0 }
  const done = runAs(
    who,
    (table) => {
      table.call('sendmsg', from, header, flags)
    },
    HELPER_ROOM,
    'send the message of a process that is gone',
  )
  if (!done)
    fail({ code: 'conflict', pid: credentials.pid, reason: `process ${credentials.pid} is there` })
}

/** Control messages (man 3 cmsg): credentials, then descriptors. */
function controlBytes(
  rights: readonly LocalFd[],
  credentials: Omit<Credentials, 'groups'> | undefined,
): Uint8Array {
  const parts: Uint8Array[] = []
  if (credentials) parts.push(controlMessage(SCM.CREDENTIALS, ucred.encode(credentials)))
  const list = Buffer.alloc(rights.length * 4)
  for (const [i, fd] of rights.entries()) list.writeInt32LE(fd, i * 4)
  if (rights.length > 0) parts.push(controlMessage(SCM.RIGHTS, list))
  return Buffer.concat(parts)
}

function controlMessage(type: number, data: Uint8Array): Uint8Array {
  const length = sizeOf(cmsghdr) + data.length
  const bytes = new Uint8Array((length + 7) & ~7)
  bytes.set(cmsghdr.encode({ len: BigInt(length), level: SOL.SOCKET, type }))
  bytes.set(data, sizeOf(cmsghdr))
  return bytes
}

/** Takes the urgent byte, so that only its mark stays in the queue. */
export function receiveUrgent(fd: LocalFd): void {
  using s = scratch()
  checked(
    sys('recvfrom', fd, s.take(1).address, 1, MSG.OOB | MSG.DONTWAIT, 0, 0),
    'recv of MSG_OOB',
  )
}

import { type ErrorDetail, fail } from '../errors/error.ts'
import type { Abort } from '../job/abort.ts'
import { POLL } from '../kernel/constants/poll.ts'
import { AF, MSG, SCM, SO, SOCK, SOL } from '../kernel/constants/socket.ts'
import { Errno } from '../kernel/errno.ts'
import { pollfd } from '../kernel/layout/files.ts'
import { cmsghdr, msghdr, sizeOf, ucred } from '../kernel/layout/index.ts'
import { iovec } from '../kernel/layout/memory.ts'
import { scratch } from '../kernel/memory.ts'
import { tryGetInt, tryGetOption } from '../kernel/socket-option.ts'
import { checked, sys } from '../kernel/sys.ts'
import type { LocalFd } from '../kernel/types.ts'

/** Who is at the other end of a connection: as it was when it connected, or made the pair. */
export interface Peer {
  /** 0: it is in a pid namespace that we do not see into. */
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

/** Larger than any request: the kernel's default for what a socket holds is a fifth of it. */
const LONGEST = 1 << 20

/** Milliseconds between two looks at whether a job is still wanted. */
const LOOK_MS = 100

/** A connection of the RPC: a packet is a message. It blocks, as nothing else is to be done. */
export class RpcSocket {
  readonly fd: LocalFd
  readonly peer: Peer

  constructor(fd: LocalFd) {
    this.fd = fd
    this.peer = peerOf(fd)
  }

  /** The next packet; undefined once the client has hung up. Meanwhile the job may be ended. */
  receive(abort?: Abort): Uint8Array | undefined {
    if (abort) this.#awaitPacket(abort)
    const length = this.#take(0n, 0, MSG.PEEK | MSG.TRUNC)
    using s = scratch()
    const memory = s.take(Math.min(length, LONGEST))
    const got = this.#take(memory.address, memory.bytes.length, 0)
    if (length === 0 && this.isHungUp) return undefined
    if (length > LONGEST) clientFailed(`sent a packet of ${length} bytes, which is too long`)
    return memory.bytes.slice(0, got)
  }

  /** Sends a packet, with descriptors if wanted. Throws `client` where nobody is there to take it. */
  send(bytes: Uint8Array, fds: readonly LocalFd[] = []): void {
    using s = scratch()
    const part = iovec.encode({ base: s.put(bytes).address, len: BigInt(bytes.length) })
    const control = s.put(rights(fds))
    const header = msghdr.encode({
      iov: s.put(part).address,
      iovlen: 1n,
      control: fds.length > 0 ? control.address : 0n,
      controllen: BigInt(control.bytes.length),
    })
    const result = sys('sendmsg', this.fd, s.put(header).address, MSG.NOSIGNAL)
    if (isGone(result)) clientFailed('hung up')
    checked(result, 'sendmsg', { kind: 'the RPC client' })
  }

  /** Nobody is at the other end any more: not where only half of it was shut down. */
  get isHungUp(): boolean {
    using s = scratch()
    const request = s.put(pollfd.encode({ fd: this.fd }))
    sys('poll', request.address, 1, 0)
    return (pollfd.read(request.view, 0).revents & POLL.HUP) !== 0
  }

  #awaitPacket(abort: Abort): void {
    using s = scratch()
    const request = s.put(pollfd.encode({ fd: this.fd, events: POLL.IN }))
    while (sys('poll', request.address, 1, LOOK_MS) === 0) abort.check()
  }

  #take(address: bigint, length: number, flags: number): number {
    const result = sys('recvfrom', this.fd, address, length, flags, 0, 0)
    if (isGone(result)) return 0
    return checked(result, 'recv', { kind: 'the RPC client' })
  }
}

export function clientFailed(reason: string): never {
  const detail: ErrorDetail = { code: 'client', reason }
  return fail(detail)
}

const isGone = (result: number): boolean =>
  result === -Errno.EPIPE || result === -Errno.ECONNRESET || result === -Errno.ENOTCONN

/** Whether a descriptor can be a connection of the RPC: a unix socket that keeps packets apart. */
export function isRpcSocket(fd: number): boolean {
  return (
    tryGetInt(fd, SOL.SOCKET, SO.DOMAIN) === AF.UNIX &&
    tryGetInt(fd, SOL.SOCKET, SO.TYPE) === SOCK.SEQPACKET
  )
}

function peerOf(fd: LocalFd): Peer {
  const raw = tryGetOption(fd, SOL.SOCKET, SO.PEERCRED, ucred.size)
  return raw?.length === ucred.size ? ucred.decode(raw) : clientFailed('does not tell who it is')
}

/** Bytes of groups at most: NGROUPS_MAX of linux/limits.h. */
const MOST_GROUPS = 65536 * 4

/** Supplementary groups of the peer (SO_PEERGROUPS), as setgroups takes them. */
export const peerGroups = (fd: LocalFd): Uint8Array =>
  tryGetOption(fd, SOL.SOCKET, SO.PEERGROUPS, MOST_GROUPS) ?? new Uint8Array()

/** One control message with descriptors (man 3 cmsg). */
function rights(fds: readonly LocalFd[]): Uint8Array {
  if (fds.length === 0) return new Uint8Array()
  const length = sizeOf(cmsghdr) + fds.length * 4
  const bytes = Buffer.alloc((length + 7) & ~7)
  bytes.set(cmsghdr.encode({ len: BigInt(length), level: SOL.SOCKET, type: SCM.RIGHTS }))
  for (const [i, fd] of fds.entries()) bytes.writeInt32LE(fd, sizeOf(cmsghdr) + i * 4)
  return bytes
}

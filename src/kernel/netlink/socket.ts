import { fail } from '../../errors/error.ts'
import { NETLINK_OPTION, NLM_F, NLMSG, NLMSGERR_ATTR } from '../constants/netlink.ts'
import { AF, MSG, SOCK, SOL } from '../constants/socket.ts'
import { Errno } from '../errno.ts'
import { nlmsgerr, nlmsghdr, sockaddrNl } from '../layout/netlink.ts'
import { type Memory, scratch } from '../memory.ts'
import { checked, close, must, sys } from '../sys.ts'
import { type LocalFd, localFd } from '../types.ts'
import { joinBytes, parseAttributes } from './attributes.ts'
import { inNetNamespace, type NetNamespace, OWN_NET_NAMESPACE } from './namespace.ts'

/** What is asked: `body` is the protocol's own header, and attributes. */
export interface NetlinkRequest {
  readonly type: number
  /** NLM_F_…, beside NLM_F_REQUEST. */
  readonly flags: number
  readonly body: Uint8Array
}

/** A message received. */
export interface NetlinkMessage {
  readonly type: number
  readonly flags: number
  readonly body: Uint8Array
}

/** What came back: `errno` is 0 where the kernel had no objection. */
export interface NetlinkAnswer {
  readonly errno: number
  /** The kernel's own words on an error (NETLINK_EXT_ACK), if it had any. */
  readonly text: string | undefined
  readonly messages: readonly NetlinkMessage[]
}

/** The kernel fills at most 32 KiB for one receive call of a dump; acks repeat what was sent. */
const RECEIVE_ROOM = 256 << 10
/** A dump that changed while it was read is begun again, so often. */
const ATTEMPTS = 20

const aligned = (length: number): number => (length + 3) & ~3

/**
 * A netlink socket on which we ask the kernel and read its whole answer, one request at a time. It
 * belongs to the network namespace that it was opened in.
 */
export class NetlinkSocket implements Disposable {
  readonly fd: LocalFd
  #seq = 1

  /** `protocol`: one of NETLINK. */
  constructor(protocol: number, namespace: NetNamespace = OWN_NET_NAMESPACE) {
    this.fd = localFd(
      inNetNamespace(namespace, () =>
        must('socket', AF.NETLINK, SOCK.RAW | SOCK.CLOEXEC, protocol),
      ),
    )
    using s = scratch()
    const on = s.put(Uint8Array.of(1, 0, 0, 0)).address
    sys('setsockopt', this.fd, SOL.NETLINK, NETLINK_OPTION.EXT_ACK, on, 4)
  }

  /** All that a dump tells of; it must succeed. `operation` names it in an error. */
  dump(type: number, body: Uint8Array, operation: string): readonly NetlinkMessage[] {
    return succeeded(this.tryDump(type, body), operation)
  }

  /** A dump, read to its end, begun anew as long as the kernel says that it was interrupted. */
  tryDump(type: number, body: Uint8Array): NetlinkAnswer {
    for (let attempt = 1; ; attempt++) {
      const answer = this.#ask([{ type, flags: NLM_F.DUMP, body }])[0]!
      const interrupted = answer.messages.some(({ flags }) => flags & NLM_F.DUMP_INTR)
      if (!interrupted) return answer
      if (attempt === ATTEMPTS) return { ...answer, errno: Errno.EINTR }
    }
  }

  /** A request that must succeed: what the kernel answered before it acknowledged. */
  request(request: NetlinkRequest, operation: string): readonly NetlinkMessage[] {
    return succeeded(this.tryRequest(request), operation)
  }

  /** A request, acknowledged. */
  tryRequest(request: NetlinkRequest): NetlinkAnswer {
    return this.#ask([{ ...request, flags: request.flags | NLM_F.ACK }])[0]!
  }

  /**
   * Several requests in one datagram. Those with NLM_F_ACK or NLM_F_DUMP are waited for; one answer
   * for each request, in their order.
   */
  tryBatch(requests: readonly NetlinkRequest[]): NetlinkAnswer[] {
    return this.#ask(requests)
  }

  /**
   * Requests of which all have effect or none does, as nf_tables has them; the last one is
   * acknowledged. What was refused of them, undefined if they have had their effect. What the kernel
   * refuses as a whole (no such subsystem, no right) it answers at the first request alone, so the
   * first refusal ends the wait.
   */
  tryTransaction(requests: readonly NetlinkRequest[]): NetlinkAnswer | undefined {
    const refused = ({ errno }: NetlinkAnswer): boolean => errno !== 0
    return this.#ask(requests, (answers) => answers.some(refused)).find(refused)
  }

  [Symbol.dispose](): void {
    close(this.fd)
  }

  /** What comes after `enough` has numbers that nobody asks for again. */
  #ask(
    requests: readonly NetlinkRequest[],
    enough: (answers: readonly NetlinkAnswer[]) => boolean = () => false,
  ): NetlinkAnswer[] {
    const first = this.#seq
    this.#seq += requests.length
    this.#send(datagramOf(requests, first))
    const answers = requests.map(({ flags }) => new Pending(isAwaited(flags)))
    while (answers.some(({ isOpen }) => isOpen) && !enough(answers))
      for (const { seq, ...message } of this.#receive()) answers[seq - first]?.take(message)
    return answers
  }

  #send(datagram: Uint8Array): void {
    using s = scratch()
    const { address } = s.put(datagram)
    const to = s.put(sockaddrNl.encode({ family: AF.NETLINK })).address
    let sent: number
    do sent = sys('sendto', this.fd, address, datagram.length, 0, to, sockaddrNl.size)
    while (sent === -Errno.EINTR)
    checked(sent, 'send a netlink request')
  }

  #receive(): Received[] {
    using s = scratch()
    const room = s.takeDirty(RECEIVE_ROOM)
    let length: number
    do length = sys('recvfrom', this.fd, room.address, RECEIVE_ROOM, MSG.TRUNC, 0, 0)
    while (length === -Errno.EINTR)
    checked(length, 'receive a netlink answer')
    if (length > RECEIVE_ROOM)
      fail({ code: 'internal', reason: `netlink message of ${length} bytes` })
    return split(room, length)
  }
}

/** A bit of DUMP alone is EXCL or REPLACE, of a request that makes something. */
const isAwaited = (flags: number): boolean =>
  (flags & NLM_F.ACK) !== 0 || (flags & NLM_F.DUMP) === NLM_F.DUMP

interface Received extends NetlinkMessage {
  readonly seq: number
}

/** An answer that is still coming in. */
class Pending implements NetlinkAnswer {
  readonly messages: NetlinkMessage[] = []
  errno = 0
  text: string | undefined
  isOpen: boolean

  constructor(isOpen: boolean) {
    this.isOpen = isOpen
  }

  take(message: NetlinkMessage): void {
    if (message.type === NLMSG.ERROR) {
      this.isOpen = false
      this.errno = Math.abs(nlmsgerr.decode(message.body).error)
      this.text = errorText(message)
    } else if (message.type === NLMSG.DONE) {
      this.isOpen = false
      // The kernel puts −errno into it when a dump fails halfway.
      const hasError = message.body.length >= 4
      this.errno = hasError ? Math.abs(viewOf(message.body).getInt32(0, true)) : 0
    } else if (message.type !== NLMSG.NOOP) this.messages.push(message)
  }
}

const viewOf = (value: Uint8Array): DataView =>
  new DataView(value.buffer, value.byteOffset, value.byteLength)

/** Requests as they are sent, numbered from `first` on. */
export const datagramOf = (requests: readonly NetlinkRequest[], first = 1): Uint8Array =>
  joinBytes(requests.map((request, i) => encode(request, first + i)))

function encode({ type, flags, body }: NetlinkRequest, seq: number): Uint8Array {
  const len = nlmsghdr.size + body.length
  const target = new Uint8Array(aligned(len))
  nlmsghdr.write(viewOf(target), 0, { len, type, flags: flags | NLM_F.REQUEST, seq, pid: 0 })
  target.set(body, nlmsghdr.size)
  return target
}

/** The messages of one datagram; their bytes are copies. */
function split({ bytes, view }: Memory, length: number): Received[] {
  const messages: Received[] = []
  for (let at = 0; at + nlmsghdr.size <= length; ) {
    const { len, type, flags, seq } = nlmsghdr.read(view, at)
    if (len < nlmsghdr.size || at + len > length)
      fail({ code: 'internal', reason: `netlink message of ${len} bytes at ${at} of ${length}` })
    messages.push({ type, flags, seq, body: bytes.slice(at + nlmsghdr.size, at + len) })
    at += aligned(len)
  }
  return messages
}

/** Behind an error stands the request (all of it, unless capped), and then attributes. */
function errorText({ flags, body }: NetlinkMessage): string | undefined {
  if (!(flags & NLM_F.ACK_TLVS)) return undefined
  const { error, msg } = nlmsgerr.decode(body)
  const isCapped = error === 0 || (flags & NLM_F.CAPPED) !== 0
  const start = isCapped ? nlmsgerr.size : nlmsgerr.offsets.msg + aligned(msg.len)
  return parseAttributes(body, start).string(NLMSGERR_ATTR.MSG)
}

function succeeded(answer: NetlinkAnswer, operation: string): readonly NetlinkMessage[] {
  const { errno, text, messages } = answer
  checked(-errno, operation, text === undefined ? {} : { remedy: `the kernel says: ${text}` })
  return messages
}

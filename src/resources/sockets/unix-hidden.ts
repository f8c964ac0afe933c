import { SIOC } from '../../kernel/constants/ioctl.ts'
import { AF, MSG, SO, SOCK, SOL } from '../../kernel/constants/socket.ts'
import { scratch } from '../../kernel/memory.ts'
import { setInt } from '../../kernel/socket-option.ts'
import { close, must } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'

const SEND_BUFFER = 32 << 20

/**
 * How many empty datagrams are in a queue beside those that were seen. One that was looked at before is
 * hidden from every further look with SO_PEEK_OFF (net/core/datagram.c, __skb_try_recv_from_queue); what
 * its sender's memory holds tells of it all the same. `sent`: bytes of that memory.
 */
export function countHidden(seen: readonly Uint8Array[], sent: number): number {
  using costs = new Costs()
  const rest = sent - seen.reduce((sum, { length }) => sum + costs.of(length), 0)
  const empty = costs.of(0)
  return rest > 0 && rest % empty === 0 ? rest / empty : 0
}

/** What a datagram takes of its sender's memory: measured with a pair of our own. */
class Costs implements Disposable {
  readonly #known = new Map<number, number>()
  readonly #ends: readonly [LocalFd, LocalFd]

  constructor() {
    using s = scratch()
    const ends = s.take(8)
    must('socketpair', AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC, 0, ends.address)
    this.#ends = [localFd(ends.view.getInt32(0, true)), localFd(ends.view.getInt32(4, true))]
    setInt(this.#ends[0], SOL.SOCKET, SO.SNDBUFFORCE, SEND_BUFFER, 'SO_SNDBUFFORCE')
  }

  of(length: number): number {
    const known = this.#known.get(length) ?? this.#measure(length)
    this.#known.set(length, known)
    return known
  }

  #measure(length: number): number {
    const [from, to] = this.#ends
    using s = scratch()
    const { address } = s.takeDirty(length + 1)
    must('sendto', from, address, length, MSG.DONTWAIT, 0, 0)
    const answer = s.take(4)
    must('ioctl', from, SIOC.OUTQ, answer.address)
    must('recvfrom', to, address, 1, MSG.DONTWAIT, 0, 0)
    return answer.view.getInt32(0, true)
  }

  [Symbol.dispose](): void {
    for (const fd of this.#ends) close(fd)
  }
}

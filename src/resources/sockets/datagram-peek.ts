import { MSG, SO, SOL } from '../../kernel/constants/socket.ts'
import { Errno } from '../../kernel/errno.ts'
import { cmsghdr, msghdr } from '../../kernel/layout/sockets.ts'
import { type Memory, scratch } from '../../kernel/memory.ts'
import { setInt, tryGetInt } from '../../kernel/socket-option.ts'
import { checked, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'

/** A control message: what the program has asked to be told of each datagram. */
export interface Control {
  readonly level: number
  readonly type: number
  readonly value: Uint8Array
}

export interface PeekedDatagram {
  /** struct sockaddr of the sender. */
  readonly from: Uint8Array
  readonly content: Uint8Array
  readonly controls: readonly Control[]
}

const NAME_ROOM = 128
const CONTROL_ROOM = 4096
/** A datagram has less; several that were received as one (UDP_GRO) too. */
const CONTENT_ROOM = 1 << 17
/** No offset: each look with MSG_PEEK finds the first datagram. */
const NO_OFFSET = -1

/**
 * Looks at every datagram in a queue and leaves it there: with an offset (SO_PEEK_OFF) each look goes
 * on behind the one before. The program's own offset is put back.
 *
 * A datagram without content is found once: with an offset the kernel passes over such a one that
 * somebody has looked at before (net/core/datagram.c, __skb_try_recv_from_queue). Only the first in
 * the queue is still found by a look without an offset.
 */
export function peekDatagrams(fd: LocalFd): PeekedDatagram[] {
  const offset = tryGetInt(fd, SOL.SOCKET, SO.PEEK_OFF) ?? NO_OFFSET
  const setOffset = (value: number) => setInt(fd, SOL.SOCKET, SO.PEEK_OFF, value, 'SO_PEEK_OFF')
  try {
    setOffset(NO_OFFSET)
    const first = tryPeek(fd)
    const all = first?.content.length === 0 ? [first] : []
    setOffset(0)
    for (let one = tryPeek(fd); one; one = tryPeek(fd)) all.push(one)
    return all
  } finally {
    setOffset(offset)
  }
}

function tryPeek(fd: LocalFd): PeekedDatagram | undefined {
  using s = scratch()
  const name = s.take(NAME_ROOM)
  const control = s.takeDirty(CONTROL_ROOM)
  const content = s.takeDirty(CONTENT_ROOM)
  const vector = s.take(16)
  vector.view.setBigUint64(0, content.address, true)
  vector.view.setBigUint64(8, BigInt(CONTENT_ROOM), true)
  const header = s.put(
    msghdr.encode({
      name: name.address,
      namelen: NAME_ROOM,
      iov: vector.address,
      iovlen: 1n,
      control: control.address,
      controllen: BigInt(CONTROL_ROOM),
    }),
  )
  const length = sys('recvmsg', fd, header.address, MSG.PEEK | MSG.DONTWAIT)
  if (length === -Errno.EAGAIN) return undefined
  checked(length, 'look at a datagram')
  const { namelen, controllen } = msghdr.read(header.view, 0)
  return {
    from: name.bytes.slice(0, namelen),
    content: content.bytes.slice(0, length),
    controls: controlsIn(control, Number(controllen)),
  }
}

function controlsIn({ bytes, view }: Memory, length: number): Control[] {
  const found: Control[] = []
  for (let at = 0; at + cmsghdr.size <= length; ) {
    const { len, level, type } = cmsghdr.read(view, at)
    const end = at + Number(len)
    found.push({ level, type, value: bytes.slice(at + cmsghdr.size, end) })
    at = (end + 7) & ~7
  }
  return found
}

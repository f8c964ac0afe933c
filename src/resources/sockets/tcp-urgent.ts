import { fail } from '../../errors/error.ts'
import { SIOC } from '../../kernel/constants/ioctl.ts'
import { MSG, SO, SOL } from '../../kernel/constants/socket.ts'
import { type Memory, scratch } from '../../kernel/memory.ts'
import { setInt, tryGetInt } from '../../kernel/socket-option.ts'
import { checked, must, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { queueLengths, readConditions } from './tcp-state.ts'

/** Our fields of tcp_stream_entry. */
export const URGENT = { at: 15000, isTaken: 15001 } as const

/** The urgent byte of a receive queue (tcp(7), MSG_OOB). */
export interface Urgent {
  /** Bytes before it. */
  readonly at: number
  /** The program has taken it; its place in the stream is a hole that reading goes past. */
  readonly isTaken: boolean
}

/** All of the receive queue, which stays as it is; the urgent byte stands in its place. */
export function peekAll(
  fd: LocalFd,
  length: number,
  memory: Memory,
): { received: Uint8Array; urgent: Urgent | undefined } {
  const received = memory.bytes.subarray(0, length)
  const { hasUrgent } = readConditions(fd)
  const mark = length === 0 ? undefined : markOf(fd, length, hasUrgent)
  using _offset = withoutPeekOffset(fd)
  if (mark === undefined) {
    const count = peek(fd, memory.address, length)
    if (count < length) failShort(count, length)
    return { received, urgent: undefined }
  }
  if (mark > 0) peek(fd, memory.address, mark)
  received[mark] = hasUrgent ? urgentByte(fd, mark) : 0
  const rest = length - mark - 1
  if (rest > 0) {
    setInt(fd, SOL.SOCKET, SO.PEEK_OFF, mark + 1, 'SO_PEEK_OFF')
    peek(fd, memory.address + BigInt(mark + 1), rest)
  }
  return { received, urgent: { at: mark, isTaken: !hasUrgent } }
}

/**
 * Where the urgent byte is, if there is one: reading stops before it, and SIOCINQ counts up to it
 * (unless SO_OOBINLINE is set).
 */
function markOf(fd: LocalFd, length: number, hasUrgent: boolean): number | undefined {
  if (isAtMark(fd)) return 0
  const { received } = queueLengths(fd)
  if (received < length) return received
  if (!hasUrgent) return undefined
  using s = scratch()
  using _offset = withoutPeekOffset(fd)
  const room = s.takeDirty(Math.min(length, ONE_LOOK))
  const count = peek(fd, room.address, room.bytes.length)
  if (count < room.bytes.length) return count
  return fail({ code: 'internal', reason: `an urgent byte behind ${count} others` })
}

/** Of a queue with SO_OOBINLINE; it is at most so long before the urgent byte. */
const ONE_LOOK = 12 << 20

function isAtMark(fd: LocalFd): boolean {
  using s = scratch()
  const memory = s.take(4)
  return sys('ioctl', fd, SIOC.ATMARK, memory.address) === 0 && memory.view.getInt32(0, true) !== 0
}

/** Its value: by MSG_OOB, or with SO_OOBINLINE where it stands. */
function urgentByte(fd: LocalFd, mark: number): number {
  using s = scratch()
  const memory = s.take(1)
  const isInline = tryGetInt(fd, SOL.SOCKET, SO.OOBINLINE) === 1
  if (isInline) setInt(fd, SOL.SOCKET, SO.PEEK_OFF, mark, 'SO_PEEK_OFF')
  const flags = MSG.PEEK | MSG.DONTWAIT | (isInline ? 0 : MSG.OOB)
  checked(sys('recvfrom', fd, memory.address, 1, flags, 0, 0), 'read an urgent byte')
  return memory.bytes[0]!
}

function peek(fd: LocalFd, address: bigint, length: number): number {
  if (length === 0) return 0
  const flags = MSG.PEEK | MSG.DONTWAIT
  return checked(sys('recvfrom', fd, address, length, flags, 0, 0), 'read the receive queue')
}

/** MSG_PEEK begins at the start of the queue, and what SO_PEEK_OFF was comes back. */
function withoutPeekOffset(fd: LocalFd): Disposable {
  const before = tryGetInt(fd, SOL.SOCKET, SO.PEEK_OFF)
  if (before === undefined) return { [Symbol.dispose]() {} }
  const set = (value: number) => setInt(fd, SOL.SOCKET, SO.PEEK_OFF, value, 'SO_PEEK_OFF')
  set(-1)
  return { [Symbol.dispose]: () => set(before) }
}

function failShort(count: number, length: number): never {
  const reason = `${count} bytes of a receive queue of ${length} could be read`
  return fail({ code: 'internal', reason })
}

/** Has the program's place of it: taken, as far as it was. */
export function takeUrgent(fd: LocalFd): void {
  using s = scratch()
  must('recvfrom', fd, s.take(1).address, 1, MSG.OOB | MSG.DONTWAIT, 0, 0)
}

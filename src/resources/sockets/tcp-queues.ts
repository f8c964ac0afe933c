import { fail } from '../../errors/error.ts'
import { IPPROTO } from '../../kernel/constants/ip.ts'
import { MAP, PROT } from '../../kernel/constants/mman.ts'
import { MSG } from '../../kernel/constants/socket.ts'
import { TCP, TCP_QUEUE, TCP_REPAIR } from '../../kernel/constants/tcp.ts'
import { tcpRepairWindow } from '../../kernel/layout/inet.ts'
import type { StructValue } from '../../kernel/layout/layout.ts'
import { type Memory, memoryAt, scratch } from '../../kernel/memory.ts'
import { intBytes } from '../../kernel/socket-option.ts'
import { checked, must, runLocally } from '../../kernel/sys.ts'
import { type Result, type Slot, Table } from '../../kernel/table.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { endRepairs } from './tcp-guard.ts'
import { queueLengths } from './tcp-state.ts'
import { peekAll, type Urgent } from './tcp-urgent.ts'

/** What is known of a connection before its queues are read. */
interface Ends {
  /** FINs that were sent and received: each counts as a byte, and has none. */
  readonly fin: { readonly sent: number; readonly received: number }
  readonly isConnected: boolean
  readonly isConnecting: boolean
  /** SO_REUSEADDR. */
  readonly reuse: boolean
  /** Bytes of the receive queue and its FIN; undefined where SIOCINQ tells it. */
  readonly unread: number | undefined
  readonly memory: QueueMemory
}

export interface Queues {
  /** Behind the last byte, and the FIN. */
  readonly receivedSeq: number
  readonly sentSeq: number
  readonly received: Uint8Array
  /** Not acknowledged yet; the last `unsent` bytes of it never were on their way. */
  readonly sent: Uint8Array
  readonly unsent: number
  readonly mssClamp: number
  readonly window: Partial<StructValue<typeof tcpRepairWindow>>
  readonly urgent: Urgent | undefined
}

/** A connection that went on while it was read is read again, so often. */
const ATTEMPTS = 100

/** The queues with the numbers that belong to them: between two equal answers nothing came or went. */
export function readQueues(fd: LocalFd, ends: Ends): Queues {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = queueLengths(fd)
    const queues = tryRead(fd, ends, before)
    const after = queueLengths(fd)
    const isStill =
      before.sent === after.sent &&
      before.unsent === after.unsent &&
      before.received === after.received
    if (isStill && queues) return queues
  }
  return fail({
    code: 'conflict',
    reason: 'a connection goes on while it is dumped',
    remedy: 'let criu lock the network (--network-lock), or lock it yourself',
  })
}

/** More than a segment that was acknowledged in part can have before it. */
const SLACK = 128 << 10

function tryRead(
  fd: LocalFd,
  { fin, isConnected, isConnecting, reuse, unread, memory }: Ends,
  lengths: ReturnType<typeof queueLengths>,
): Queues | undefined {
  // A FIN that was read already does not count any more; nothing can be before it then.
  const unreadBytes =
    isConnected && unread !== undefined ? Math.max(unread - fin.received, 0) : lengths.received
  const inMemory = memory.room(unreadBytes + lengths.sent + SLACK)
  const { received, urgent } = peekAll(fd, unreadBytes, inMemory)
  const nothing = new Uint8Array()
  const closed = { receivedSeq: 0, sentSeq: 0, sent: nothing, unsent: 0, mssClamp: 0, window: {} }
  if (!isConnected && !isConnecting) return { ...closed, received, urgent }
  const length = isConnecting ? 0 : Math.max(lengths.sent - fin.sent, 0)
  const rest = memoryAt(inMemory.address + BigInt(unreadBytes), lengths.sent + SLACK)
  const told = underRepair(fd, reuse, length > 0 ? rest : undefined)
  if (told.length < length) return undefined
  return {
    ...told,
    received,
    urgent,
    sent: rest.bytes.subarray(told.length - length, told.length),
    unsent: isConnecting ? 0 : Math.max(lengths.unsent - fin.sent, 0),
  }
}

/** One table: the socket is under repair from its first call to the last but one. */
function underRepair(fd: LocalFd, reuse: boolean, sendQueue: Memory | undefined) {
  using s = scratch()
  const table = new Table(s.take(2048))
  const set = (option: number, value: number): Result =>
    table.attempt('setsockopt', fd, IPPROTO.TCP, option, table.data(intBytes(value)), 4)
  const get = (option: number, size: number): Slot => {
    const value = table.space(size)
    const length = table.data(intBytes(size))
    table.attempt('getsockopt', fd, IPPROTO.TCP, option, value, length)
    return value
  }
  const started = set(TCP.REPAIR, TCP_REPAIR.ON)
  const mssClamp = get(TCP.MAXSEG, 4)
  const window = get(TCP.REPAIR_WINDOW, tcpRepairWindow.size)
  set(TCP.REPAIR_QUEUE, TCP_QUEUE.RECV)
  const receivedSeq = get(TCP.QUEUE_SEQ, 4)
  set(TCP.REPAIR_QUEUE, TCP_QUEUE.SEND)
  const sentSeq = get(TCP.QUEUE_SEQ, 4)
  const flags = MSG.PEEK | MSG.DONTWAIT
  const peeked =
    sendQueue &&
    table.attempt('recvfrom', fd, sendQueue.address, sendQueue.bytes.length, flags, 0, 0)
  endRepairs(table, [{ fd, reuse }])
  runLocally(table)
  checked(started.number, 'setsockopt TCP_REPAIR')
  if (peeked) checked(peeked.number, 'read the send queue of a connection')
  return {
    length: peeked?.number ?? 0,
    mssClamp: mssClamp.view.getUint32(0, true),
    window: tcpRepairWindow.decode(window.bytes),
    receivedSeq: receivedSeq.view.getUint32(0, true),
    sentSeq: sentSeq.view.getUint32(0, true),
  }
}

const STEP = 1 << 20

/** Memory for the queues of one connection after the other: as large as the largest needs. */
export class QueueMemory implements Disposable {
  #memory: Memory | undefined

  room(length: number): Memory {
    if (this.#memory && this.#memory.bytes.length >= length) return this.#memory
    this[Symbol.dispose]()
    const size = Math.ceil(length / STEP) * STEP
    const flags = MAP.PRIVATE | MAP.ANONYMOUS
    const address = BigInt(must('mmap', 0, size, PROT.READ | PROT.WRITE, flags, -1, 0))
    this.#memory = memoryAt(address, size)
    return this.#memory
  }

  [Symbol.dispose](): void {
    if (this.#memory) must('munmap', this.#memory.address, this.#memory.bytes.length)
    this.#memory = undefined
  }
}

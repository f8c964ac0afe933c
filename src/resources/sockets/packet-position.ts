import { TP_STATUS, TPACKET } from '../../kernel/constants/packet.ts'
import { POLL } from '../../kernel/constants/poll.ts'
import { AF, MSG, SOCK } from '../../kernel/constants/socket.ts'
import { sockaddrLl, tpacketBlock } from '../../kernel/layout/packet.ts'
import { scratch } from '../../kernel/memory.ts'
import { sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import {
  headerOf,
  type MappedRings,
  type RingEntry,
  receiveFrames,
  type Slots,
  sendFrames,
} from './packet-ring.ts'
import { pollSocket } from './pending.ts'
import { typeOf } from './socket-kind.ts'

const { KERNEL, AVAILABLE, SEND_REQUEST, WRONG_FORMAT } = TP_STATUS
/** TP_STATUS_TS_RAW_HARDWARE alone: not the kernel's, and nothing for a program to read. */
const NOBODYS = 0x80000000
/** The loopback device has this number in every network namespace. */
export const LOOPBACK = 1

/** Where the kernel stands in a receive ring of frames: poll is ready if it does not own the frame before. */
export function findReceiveHead(
  fd: LocalFd,
  rings: MappedRings,
  entry: RingEntry,
): number | undefined {
  const frames = receiveFrames(entry)!
  const { count } = frames
  const before = (head: number): number => (head + count - 1) % count
  const isFree = (frame: number): boolean => rings.statusOf(frames, frame) === KERNEL
  const isReady = (): boolean => (pollSocket(fd, POLL.IN) & POLL.IN) !== 0
  const ready = isReady()
  const candidates = Array.from({ length: count }, (_, head) => head)
    .filter((head) => isFree(before(head)) !== ready)
    .sort((a, b) => filledAt(before(b)) - filledAt(before(a)) || a - b)
  if (ready) {
    // Programs give frames back in order: then what is unread ends where the kernel stands.
    const ends = candidates.filter(isFree)
    if (ends.length === 1) return ends[0]
  }
  return candidates.find((head) => {
    const frame = before(head)
    const status = rings.statusOf(frames, frame)
    rings.setStatus(frames, frame, ready ? KERNEL : NOBODYS)
    const changes = isReady() !== ready
    rings.setStatus(frames, frame, status)
    return changes
  })

  /** Only a guess, of what to try first: a program may write there what it likes. */
  function filledAt(frame: number): number {
    const { sec } = headerOf(entry.version).offsets
    const at = frames.at(frame) + sec
    const fraction = entry.version === TPACKET.V1 ? 1e-6 : 1e-9
    return rings.view.getUint32(at, true) + rings.view.getUint32(at + 4, true) * fraction
  }
}

/**
 * Where the kernel stands in a send ring: a frame that cannot be sent is refused there, and nowhere else,
 * and the kernel stays where it is; with PACKET_LOSS it would go on.
 */
export function findSendHead(
  fd: LocalFd,
  rings: MappedRings,
  entry: RingEntry & { readonly loss: boolean },
): number | undefined {
  const frames = sendFrames(entry)!
  const all = Array.from({ length: frames.count }, (_, frame) => frame)
  if (all.every((frame) => isUntouched(rings, frames, frame))) return 0
  const asked = all.filter((frame) => rings.statusOf(frames, frame) === SEND_REQUEST)
  if (asked.length > 0) return soleStart(asked, frames.count)
  if (entry.loss) return undefined
  return all.find((frame) => {
    const start = frames.at(frame)
    const { offsets, size } = headerOf(entry.version)
    const header = rings.bytes.slice(start, start + size)
    // RAW: too short for the head of Ethernet; DGRAM, where that is no part of it: too long.
    const length = typeOf(fd) === SOCK.RAW ? 0 : 0xffffffff
    rings.view.setUint32(start + offsets.len, length, true)
    rings.setStatus(frames, frame, SEND_REQUEST)
    trySendRing(fd)
    const isHere = rings.statusOf(frames, frame) === WRONG_FORMAT
    rings.setStatus(frames, frame, AVAILABLE)
    rings.bytes.set(header, start)
    return isHere
  })
}

function isUntouched(rings: MappedRings, { at }: Slots, frame: number): boolean {
  return rings.bytes.subarray(at(frame), at(frame) + 32).every((byte) => byte === 0)
}

/** What waits to be sent begins where the kernel stands, if it is one run with an end. */
function soleStart(asked: readonly number[], count: number): number | undefined {
  const set = new Set(asked)
  const starts = asked.filter((frame) => !set.has((frame + count - 1) % count))
  return starts.length === 1 ? starts[0] : undefined
}

/** Has the kernel send what is ready in a ring, over loopback; an error is seen in the ring. */
export function trySendRing(fd: LocalFd): number {
  using s = scratch()
  const to = sockaddrLl.encode({ family: AF.PACKET, ifindex: LOOPBACK, halen: 6 })
  const name = s.put(to)
  return sys('sendto', fd, 0, 0, MSG.DONTWAIT, name.address, to.length)
}

/** What a receive ring of blocks has come to: the number that the next block opened will have. */
export interface BlockPosition {
  readonly next: bigint
  /** A block that has packets and that the program was not given yet. */
  readonly pending: number | undefined
}

/**
 * Blocks are numbered as they are opened, the first one 1. The newest is being filled; or it is closed,
 * and the kernel waits for the one after it.
 */
export function blockPosition(bytes: Uint8Array, blocks: Slots): BlockPosition | undefined {
  const heads = Array.from({ length: blocks.count }, (_, block) =>
    tpacketBlock.decode(bytes, blocks.at(block)),
  )
  const newest = heads.reduce((best, { seq_num }) => (seq_num > best ? seq_num : best), 0n)
  const count = BigInt(blocks.count)
  const isOrdered = heads.every(
    ({ seq_num: seq }, block) =>
      seq === 0n || ((seq - 1n) % count === BigInt(block) && seq + count > newest),
  )
  if (newest === 0n || !isOrdered) return undefined
  const block = Number((newest - 1n) % count)
  const head = heads[block]!
  if (head.block_status !== KERNEL) return { next: newest + 1n, pending: undefined }
  if (head.num_pkts === 0) return { next: newest, pending: undefined }
  const last = lastPacket(bytes, blocks, block)
  if (last === undefined) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  // As it closes a block, the kernel ends the chain of its packets.
  const isClosed = view.getUint32(last, true) === 0
  return { next: newest + 1n, pending: isClosed ? undefined : block }
}

/** Where the last packet of a block begins; undefined: the chain leads out of it. */
export function lastPacket(bytes: Uint8Array, { at }: Slots, block: number): number | undefined {
  const start = at(block)
  const head = tpacketBlock.decode(bytes, start)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  let packet = start + head.offset_to_first_pkt
  for (let i = 1; i < head.num_pkts; i++) {
    if (packet + 48 > bytes.length) return undefined
    packet += view.getUint32(packet, true)
  }
  return packet + 48 > bytes.length ? undefined : packet
}

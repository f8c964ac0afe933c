import type { Init } from '../../images/codec.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { TP_STATUS } from '../../kernel/constants/packet.ts'
import { tpacket3Hdr, tpacketBlock } from '../../kernel/layout/packet.ts'
import { pause } from '../../kernel/pause.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { blockPosition, findReceiveHead, findSendHead, lastPacket } from './packet-position.ts'
import {
  MappedRings,
  type RingEntry,
  receiveBlocks,
  receiveFrames,
  type Slots,
  sendFrames,
} from './packet-ring.ts'

export type RingContent = Init<Messages['criuts_packet_ring']>
type Entry = RingEntry & Pick<Messages['packet_sock_entry'], 'id' | 'loss'>

/** Milliseconds in which nothing may come in while it is looked at; a ring that is full is quiet. */
const TRIES = 2000

/**
 * Content and positions of the rings of a socket, which goes on to receive meanwhile; or why they
 * cannot be restored.
 */
export function takeRings(fd: LocalFd, entry: Entry): RingContent | string {
  using rings = new MappedRings(fd, entry)
  for (let tries = 0; tries < TRIES; tries++) {
    const before = marksOf(rings, entry)
    // A packet that was counted has come in whole by then.
    pause(1000)
    const bytes = rings.bytes.slice()
    if (Buffer.compare(marksOf(rings, entry), before) !== 0) continue
    const taken = look(fd, rings, bytes, entry)
    if (Buffer.compare(marksOf(rings, entry), before) !== 0) continue
    return taken
  }
  return 'that takes in packets without a pause'
}

/** All that the kernel changes when something comes in or goes out. */
function marksOf(rings: MappedRings, entry: Entry): Buffer {
  const { offsets } = tpacketBlock
  const marks: number[] = []
  const add = (slots: Slots | undefined, ...places: number[]): void => {
    for (let slot = 0; slot < (slots?.count ?? 0); slot++)
      for (const place of places) marks.push(rings.view.getUint32(slots!.at(slot) + place, true))
  }
  const [received, sent, blocks] = [receiveFrames(entry), sendFrames(entry), receiveBlocks(entry)]
  if (received) add(received, received.status)
  if (sent) add(sent, sent.status)
  if (blocks) add(blocks, blocks.status, offsets.num_pkts, offsets.seq_num)
  return Buffer.from(Uint32Array.from(marks).buffer)
}

function look(
  fd: LocalFd,
  rings: MappedRings,
  bytes: Uint8Array,
  entry: Entry,
): RingContent | string {
  const found: RingContent = { id: entry.id }
  const blocks = receiveBlocks(entry)
  if (receiveFrames(entry)) {
    const head = findReceiveHead(fd, rings, entry)
    if (head === undefined) return UNKNOWN
    found.receive_head = head
  }
  if (blocks) {
    const position = blockPosition(bytes, blocks)
    if (!position) return UNKNOWN
    if (position.next * BigInt(entry.rx_ring!.block_size) > MOST) return 'of which 32 GiB were used'
    if (position.pending !== undefined) handOver(bytes, blocks, position.pending)
    found.next_block = position.next
  }
  if (entry.tx_ring) {
    const head = findSendHead(fd, rings, entry)
    if (head === undefined) return UNKNOWN
    found.send_head = head
  }
  found.content = runsOf(bytes)
  return found
}

const UNKNOWN = 'of which the kernel does not tell where it stands'
/** Each block must be filled once more: some seconds. */
const MOST = 1n << 35n

/**
 * A block that is being filled is given to the program, as at the end of its time
 * (tp_retire_blk_tov), which passes while the program is away.
 */
function handOver(bytes: Uint8Array, blocks: Slots, block: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const head = blocks.at(block)
  const last = lastPacket(bytes, blocks, block)!
  const { next_offset, sec } = tpacket3Hdr.offsets
  const { ts_last_pkt, block_status } = tpacketBlock.offsets
  view.setUint32(last + next_offset, 0, true)
  bytes.copyWithin(head + ts_last_pkt, last + sec, last + sec + 8)
  view.setUint32(head + block_status, TP_STATUS.USER | TP_STATUS.BLK_TMO, true)
}

const PIECE = 4096
const LONGEST_RUN = 1 << 20

/** The pages that are not all zero; neighbours as one. */
function runsOf(bytes: Uint8Array): { offset: bigint; content: Uint8Array }[] {
  const zeroes = Buffer.alloc(PIECE)
  const runs: { offset: bigint; content: Uint8Array }[] = []
  let start: number | undefined
  for (let at = 0; at <= bytes.length; at += PIECE) {
    const page = bytes.subarray(at, at + PIECE)
    const isEmpty = page.length === 0 || Buffer.compare(page, zeroes) === 0
    if (start !== undefined && (isEmpty || at - start === LONGEST_RUN)) {
      runs.push({ offset: BigInt(start), content: bytes.subarray(start, at) })
      start = undefined
    }
    if (!isEmpty) start ??= at
  }
  return runs
}

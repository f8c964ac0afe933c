import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { PACKET, TP_STATUS } from '../../kernel/constants/packet.ts'
import { AF, MSG, SO, SOCK, SOL } from '../../kernel/constants/socket.ts'
import { Errno } from '../../kernel/errno.ts'
import { sockaddrLl, tpacketBlock } from '../../kernel/layout/packet.ts'
import { sockFilter, sockFprog } from '../../kernel/layout/ptrace.ts'
import { scratch } from '../../kernel/memory.ts'
import { pause } from '../../kernel/pause.ts'
import { tryGetOption, trySetOption } from '../../kernel/socket-option.ts'
import { checked, must, owned, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { callWith } from './names.ts'
import { LOOPBACK, trySendRing } from './packet-position.ts'
import {
  headerOf,
  MappedRings,
  receiveBlocks,
  receiveFrames,
  ringsLength,
  sendFrames,
} from './packet-ring.ts'

type PacketEntry = Messages['packet_sock_entry']
type Content = Messages['criuts_packet_ring']

/** ETH_P_802_EX1 (linux/if_ether.h): for local experiments, nobody receives it. */
const PROTOCOL = 0x88b5
/** sizeof(struct ethhdr). */
const HEAD = 14
/** MTU of the loopback device: no packet is longer. */
const LONGEST = 65536
/** Milliseconds until a packet that was sent to ourselves has come. */
const PATIENCE = 2000

/**
 * Brings the kernel to the places in the rings of a socket that it had, and puts their content back. Its
 * places are moved by nothing but packets: as many as it takes are sent over the loopback device, to this
 * socket alone, which is bound to nothing else yet.
 */
export function fillRings(fd: LocalFd, entry: PacketEntry, content: Content): void {
  using rings = new MappedRings(fd, entry)
  checkContent(entry, content)
  if (content.send_head) advanceSend(fd, rings, entry, content.send_head)
  if (content.receive_head) advanceFrames(fd, rings, entry, content.receive_head)
  if (content.next_block && content.next_block > 1n)
    advanceBlocks(fd, rings, entry, content.next_block)
  // Reading the counts sets them back to zero.
  tryGetOption(fd, SOL.PACKET, PACKET.STATISTICS, 12)
  putContent(rings, entry, content)
}

function checkContent(entry: PacketEntry, content: Content): void {
  const length = BigInt(ringsLength(entry))
  const fits = content.content.every((run) => run.offset + BigInt(run.content.length) <= length)
  const isWithin = (place: number | undefined, slots: { count: number } | undefined): boolean =>
    !place || place < (slots?.count ?? 0)
  const areWithin =
    isWithin(content.receive_head, receiveFrames(entry)) &&
    isWithin(content.send_head, sendFrames(entry))
  if (!fits || !areWithin || !areBlocksRight(entry, content))
    fail({
      code: 'image',
      file: 'criu-ts-packet',
      reason: `content that is not of the rings of socket ${entry.id}`,
    })
}

/** Each block that was opened bears its number: a wrong one would take for ever to come to. */
function areBlocksRight(entry: PacketEntry, { next_block: next, content }: Content): boolean {
  const blocks = receiveBlocks(entry)
  if (!blocks || !next) return !blocks && !next
  if (next === 1n) return true
  const last = Number((next - 2n) % BigInt(blocks.count))
  const at = BigInt(blocks.at(last) + tpacketBlock.offsets.seq_num)
  let sequence = 0n
  for (const run of content)
    for (let i = 0n; i < 8n; i++)
      sequence |= BigInt(run.content[Number(at + i - run.offset)] ?? 0) << (8n * i)
  return sequence === next - 1n
}

/** The block that the kernel waits for is given to it last: it begins to fill it by its own clock. */
function putContent(
  rings: MappedRings,
  entry: PacketEntry,
  { content, next_block }: Content,
): void {
  const blocks = receiveBlocks(entry)
  const isFresh = blocks === undefined || next_block === 1n
  const next = isFresh ? -1 : Number((next_block! - 1n) % BigInt(blocks.count))
  const kept = isFresh ? undefined : place(next)
  let status = 0
  const bytes = new Uint8Array(rings.bytes.length)
  for (const run of content) bytes.set(run.content, Number(run.offset))
  if (kept !== undefined) {
    const view = new DataView(bytes.buffer)
    status = view.getUint32(kept, true)
    view.setUint32(kept, TP_STATUS.USER, true)
  }
  rings.bytes.set(bytes)
  if (kept !== undefined) rings.view.setUint32(kept, status, true)

  function place(block: number): number {
    return blocks!.at(block) + blocks!.status
  }
}

/** Frames of the ring itself, sent to nobody. */
function advanceSend(fd: LocalFd, rings: MappedRings, entry: PacketEntry, head: number): void {
  const frames = sendFrames(entry)!
  const { offsets, size } = headerOf(entry.version)
  // struct virtio_net_hdr, with the number of buffers.
  const length = HEAD + (entry.vnet_hdr ? 12 : 0)
  const data = Math.ceil(size / 16) * 16
  for (let frame = 0; frame < head; frame++) {
    const start = frames.at(frame)
    rings.view.setUint32(start + offsets.len, length, true)
    // With PACKET_TX_HAS_OFF they say where the data begins.
    rings.view.setUint16(start + offsets.mac, data, true)
    rings.view.setUint16(start + offsets.net, data, true)
    rings.setStatus(frames, frame, TP_STATUS.SEND_REQUEST)
  }
  let sent = 0
  moveOn(() => {
    checkDevice(trySendRing(fd))
    while (sent < head && rings.statusOf(frames, sent) === TP_STATUS.AVAILABLE) sent++
    return sent < head ? sent : 'done'
  })
}

function advanceFrames(fd: LocalFd, rings: MappedRings, entry: PacketEntry, head: number): void {
  const frames = receiveFrames(entry)!
  using packets = packetsFor(fd, entry)
  let filled = 0
  moveOn(() => {
    packets.send(Math.min(head - filled, AT_ONCE), HEAD + COOKIE)
    while (filled < head && rings.statusOf(frames, filled) !== TP_STATUS.KERNEL) filled++
    return filled < head ? filled : 'done'
  })
}

const AT_ONCE = 100
/** Bytes of it. */
const COOKIE = 4

/**
 * Blocks are opened one after the other, as the one before is full, and given back by us. The block to
 * come stays ours until the end: the kernel waits for it then.
 */
function advanceBlocks(fd: LocalFd, rings: MappedRings, entry: PacketEntry, next: bigint): void {
  const blocks = receiveBlocks(entry)!
  const count = BigInt(blocks.count)
  const { seq_num } = tpacketBlock.offsets
  const seqOf = (block: number): bigint => rings.view.getBigUint64(blocks.at(block) + seq_num, true)
  const indexOf = (seq: bigint): number => Number((seq - 1n) % count)
  const barrier = indexOf(next)
  const last = indexOf(next - 1n)
  const length = Math.min(LONGEST, entry.rx_ring!.block_size)
  const perBlock = Math.ceil(entry.rx_ring!.block_size / length) + 1
  const many = Math.min(AT_ONCE, perBlock * Math.ceil(blocks.count / 2))
  using packets = packetsFor(fd, entry)
  let newest = 1n
  moveOn(() => {
    while (seqOf(indexOf(newest + 1n)) === newest + 1n) newest++
    // The kernel closes no block that it does not own: while it is open, it stays so.
    if (newest > next - count) rings.setStatus(blocks, barrier, TP_STATUS.USER)
    const isBarred = newest >= next - count
    const isLast = newest === next - 1n
    if (isLast && rings.statusOf(blocks, last) !== TP_STATUS.KERNEL) return 'done'
    for (let block = 0; block < blocks.count; block++)
      // The last may be closed at any moment, as its time is over: that is to be seen.
      if (!(isBarred && block === barrier) && !(isLast && block === last))
        rings.setStatus(blocks, block, TP_STATUS.KERNEL)
    packets.send(many, length)
    return Number(newest)
  })
}

interface Packets {
  send(count: number, length: number): void
}

/** Has the socket receive packets of ours, and nothing else; in the end it receives nothing. */
function packetsFor(fd: LocalFd, { type }: PacketEntry): Packets & Disposable {
  const cookie = (Math.random() * 2 ** 32) >>> 0
  attachFilter(fd, acceptOnly(cookie, type === SOCK.RAW ? HEAD : 0))
  bindTo(fd, PROTOCOL, LOOPBACK)
  const sender = owned(must('socket', AF.PACKET, SOCK.RAW | SOCK.CLOEXEC, 0))
  const to = sockaddrLl.encode({ family: AF.PACKET, ifindex: LOOPBACK, protocol: swap(PROTOCOL) })
  return {
    send(count, length) {
      using s = scratch()
      const packet = s.take(length)
      packet.view.setUint16(HEAD - 2, PROTOCOL)
      packet.view.setUint32(HEAD, cookie)
      const name = s.put(to)
      for (let i = 0; i < count; i++) {
        const { address } = packet
        const result = sys(
          'sendto',
          sender.fd,
          address,
          length,
          MSG.DONTWAIT,
          name.address,
          to.length,
        )
        if (result === -Errno.ENOBUFS || result === -Errno.EAGAIN) return
        checkDevice(result)
      }
    },
    [Symbol.dispose]() {
      sender[Symbol.dispose]()
      bindTo(fd, 0, 0)
      trySetOption(fd, SOL.SOCKET, SO.DETACH_FILTER, new Uint8Array(4))
    },
  }
}

function bindTo(fd: LocalFd, protocol: number, ifindex: number): void {
  callWith('bind', fd, sockaddrLl.encode({ family: AF.PACKET, protocol: swap(protocol), ifindex }))
}

const swap = (protocol: number): number => ((protocol & 0xff) << 8) | (protocol >>> 8)

/** BPF (man 7 socket, linux/filter.h): a word there equals `cookie`: all of the packet, else none. */
const acceptOnly = (cookie: number, at: number): Uint8Array[] => [
  sockFilter.encode({ code: 0x20, k: at }), // BPF_LD | BPF_W | BPF_ABS
  sockFilter.encode({ code: 0x15, jf: 1, k: cookie }), // BPF_JMP | BPF_JEQ | BPF_K
  sockFilter.encode({ code: 0x06, k: 0xffffffff }), // BPF_RET | BPF_K
  sockFilter.encode({ code: 0x06, k: 0 }),
]

function attachFilter(fd: LocalFd, instructions: readonly Uint8Array[]): void {
  using s = scratch()
  const { address } = s.put(Buffer.concat(instructions))
  const program = sockFprog.encode({ len: instructions.length, filter: address })
  checked(trySetOption(fd, SOL.SOCKET, SO.ATTACH_FILTER, program), 'setsockopt SO_ATTACH_FILTER')
}

function checkDevice(result: number): void {
  if (result === -Errno.ENETDOWN || result === -Errno.ENXIO)
    fail({
      code: 'conflict',
      reason:
        'the ring of a packet socket is moved on by packets over the device lo, which is down',
      remedy: 'ip link set lo up',
    })
}

/** Tries until it is done, as long as something moves: packets may be lost on their way. */
function moveOn(move: () => number | 'done'): void {
  let before: number | undefined
  for (let tries = 0; tries < PATIENCE; tries++) {
    const now = move()
    if (now === 'done') return
    if (now !== before) tries = 0
    else pause(1000)
    before = now
  }
  fail({
    code: 'conflict',
    reason:
      'the ring of a packet socket does not move on: what is sent over the device lo does not arrive',
    remedy: 'look at the rules of the firewall for the device lo',
  })
}

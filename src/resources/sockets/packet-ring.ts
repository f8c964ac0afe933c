import type { Messages } from '../../images/gen/messages.ts'
import { MAP, PROT } from '../../kernel/constants/mman.ts'
import { TPACKET } from '../../kernel/constants/packet.ts'
import { tpacket2Hdr, tpacket3Hdr, tpacketBlock, tpacketHdr } from '../../kernel/layout/packet.ts'
import { memoryAt } from '../../kernel/memory.ts'
import { must, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'

type Size = Messages['packet_ring']

/** Of a packet socket's entry, what decides how its rings are laid out. */
export type RingEntry = Pick<Messages['packet_sock_entry'], 'version' | 'rx_ring' | 'tx_ring'>

export const hasRings = ({ rx_ring, tx_ring }: RingEntry): boolean =>
  rx_ring !== undefined || tx_ring !== undefined

/** Bytes: what a mapping of the rings has, the one for receiving first. */
export const ringsLength = ({ rx_ring, tx_ring }: RingEntry): number =>
  lengthOf(rx_ring) + lengthOf(tx_ring)

const lengthOf = (size: Size | undefined): number => (size ? size.block_size * size.block_nr : 0)

/** Where in a mapping frames (or blocks) begin, and their status is. */
export interface Slots {
  readonly count: number
  at(slot: number): number
  readonly status: number
}

/** The frames that are filled one by one; undefined: no such ring, or one of blocks. */
export function receiveFrames({ version, rx_ring }: RingEntry): Slots | undefined {
  if (!rx_ring || version === TPACKET.V3) return undefined
  return framesOf(rx_ring, 0, version)
}

export function sendFrames({ version, rx_ring, tx_ring }: RingEntry): Slots | undefined {
  return tx_ring && framesOf(tx_ring, lengthOf(rx_ring), version)
}

/** The blocks of a receive ring of TPACKET_V3. */
export function receiveBlocks({ version, rx_ring }: RingEntry): Slots | undefined {
  if (!rx_ring || version !== TPACKET.V3) return undefined
  const at = (slot: number): number => slot * rx_ring.block_size
  return { count: rx_ring.block_nr, at, status: tpacketBlock.offsets.block_status }
}

/** No frame reaches over the end of a block. */
function framesOf({ block_size, frame_size, frame_nr }: Size, start: number, version: number) {
  const inBlock = Math.floor(block_size / frame_size)
  const at = (slot: number): number =>
    start + Math.floor(slot / inBlock) * block_size + (slot % inBlock) * frame_size
  return { count: frame_nr, at, status: headerOf(version).offsets.status }
}

export function headerOf(version: number) {
  if (version === TPACKET.V1) return tpacketHdr
  return version === TPACKET.V2 ? tpacket2Hdr : tpacket3Hdr
}

/** The rings of a socket as our own memory. */
export class MappedRings {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly #address: bigint

  constructor(fd: LocalFd, entry: RingEntry) {
    const length = ringsLength(entry)
    const access = PROT.READ | PROT.WRITE
    this.#address = BigInt(must('mmap', 0, length, access, MAP.SHARED, fd, 0))
    const { bytes, view } = memoryAt(this.#address, length)
    this.bytes = bytes
    this.view = view
  }

  statusOf({ at, status }: Slots, slot: number): number {
    return this.view.getUint32(at(slot) + status, true)
  }

  setStatus({ at, status }: Slots, slot: number, value: number): void {
    this.view.setUint32(at(slot) + status, value, true)
  }

  [Symbol.dispose](): void {
    sys('munmap', this.#address, this.bytes.length)
  }
}

import { describe, expect, test } from 'bun:test'
import { TP_STATUS, TPACKET } from '../../../../src/kernel/constants/packet.ts'
import { tpacket3Hdr, tpacketBlock } from '../../../../src/kernel/layout/packet.ts'
import { blockPosition, lastPacket } from '../../../../src/resources/sockets/packet-position.ts'
import {
  receiveBlocks,
  receiveFrames,
  ringsLength,
  sendFrames,
} from '../../../../src/resources/sockets/packet-ring.ts'

const SIZE = 4096
const size = {
  block_size: SIZE,
  block_nr: 4,
  frame_size: 1024,
  frame_nr: 16,
  retire_tmo: 0,
  sizeof_priv: 0,
  features: 0,
}
const blocks = receiveBlocks({ version: TPACKET.V3, rx_ring: size })!

/** Its number, its owner, how many packets it has, and whether the chain of those is open. */
type Head = readonly [seq: bigint, status: number, packets?: number, open?: boolean]

/** A ring of blocks. */
function ring(...heads: readonly Head[]) {
  const bytes = new Uint8Array(4 * SIZE)
  heads.forEach(([seq_num, block_status, num_pkts = 0, open = false], block) => {
    const start = blocks.at(block)
    const head = { seq_num, block_status, num_pkts, offset_to_first_pkt: 48 }
    bytes.set(tpacketBlock.encode(head), start)
    for (let i = 0; i < num_pkts; i++) {
      const next_offset = i + 1 < num_pkts || open ? 200 : 0
      bytes.set(tpacket3Hdr.encode({ next_offset, sec: i }), start + 48 + i * 200)
    }
  })
  return bytes
}

const { KERNEL, USER } = TP_STATUS
const at = (...heads: readonly Head[]) => blockPosition(ring(...heads), blocks)

describe('where the kernel stands in a ring of blocks', () => {
  test('at the first block of a new ring', () => {
    expect(at([1n, KERNEL], [0n, KERNEL], [0n, KERNEL], [0n, KERNEL])).toEqual({
      next: 1n,
      pending: undefined,
    })
  })
  test('at an empty one in the middle', () => {
    const position = at([9n, USER, 1], [10n, USER, 2], [11n, KERNEL], [8n, KERNEL, 3])
    expect(position).toEqual({ next: 11n, pending: undefined })
  })
  test('at one that is being filled, which is handed over', () => {
    const position = at([9n, USER, 1], [10n, KERNEL, 2, true], [7n, KERNEL], [8n, KERNEL, 3])
    expect(position).toEqual({ next: 11n, pending: 1 })
  })
  test('behind the newest, where all are full', () => {
    const position = at([9n, USER, 1], [10n, USER, 2], [7n, USER, 1], [8n, USER, 3])
    expect(position).toEqual({ next: 11n, pending: undefined })
  })
  test('behind the newest, which the program has given back already', () => {
    const position = at([9n, KERNEL, 1], [10n, KERNEL, 2], [7n, KERNEL, 1], [8n, KERNEL, 3])
    expect(position).toEqual({ next: 11n, pending: undefined })
  })
  test('is not known where the program has written over the numbers', () => {
    expect(at([9n, KERNEL], [12n, KERNEL], [7n, KERNEL], [8n, KERNEL])).toBeUndefined()
    expect(at([0n, KERNEL], [0n, KERNEL], [0n, KERNEL], [0n, KERNEL])).toBeUndefined()
  })
  test('a chain of packets that leads out of the ring has no end', () => {
    const bytes = ring([1n, KERNEL, 3, true])
    new DataView(bytes.buffer).setUint32(48, 0xffffff00, true)
    expect(lastPacket(bytes, blocks, 0)).toBeUndefined()
  })
})

test('frames do not reach over the end of a block; those to be sent come behind', () => {
  const odd = { ...size, frame_size: 1040, frame_nr: 12 }
  const entry = { version: TPACKET.V2, rx_ring: odd, tx_ring: odd }
  expect([0, 2, 3].map(receiveFrames(entry)!.at)).toEqual([0, 2080, 4096])
  expect(sendFrames(entry)!.at(4)).toBe(4 * SIZE + 4096 + 1040)
  expect(ringsLength(entry)).toBe(8 * SIZE)
  expect(receiveBlocks(entry)).toBeUndefined()
})

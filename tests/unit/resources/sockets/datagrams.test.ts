import { describe, expect, test } from 'bun:test'
import { IPPROTO } from '../../../../src/kernel/constants/ip.ts'
import { checksum, packetOf } from '../../../../src/resources/sockets/datagram-packet.ts'
import type { Datagram } from '../../../../src/resources/sockets/datagram-queue.ts'
import { parseIgmp, parseIgmp6 } from '../../../../src/resources/sockets/groups.ts'
import { LOOPBACK, unmapped } from '../../../../src/resources/sockets/local-address.ts'
import { parseSockets } from '../../../../src/resources/sockets/proc-sockets.ts'

const datagram = (more: Partial<Datagram>): Datagram => ({
  id_for: 1,
  source: Uint8Array.of(10, 0, 0, 1),
  source_port: 53,
  destination: Uint8Array.of(127, 0, 0, 1),
  ttl: 64,
  tos: 0x10,
  content: Buffer.from('abc'),
  ...more,
})

describe('packets made by hand', () => {
  test('the checksum of RFC 1071, section 3', () => {
    expect(checksum(Buffer.from('0001f203f4f5f6f7', 'hex'))).toBe(~0xddf2 & 0xffff)
    expect(checksum(Buffer.from('01', 'hex'))).toBe(0xfeff)
  })

  test('IPv4: version, lengths, TTL, protocol, addresses, ports; the sum over all of it is right', () => {
    const packet = Buffer.from(packetOf(datagram({}), 4000, IPPROTO.UDP))
    const header = '4510001f00000000401100000a0000017f000001'
    expect(packet.subarray(0, 20).toString('hex')).toBe(header)
    expect(packet.subarray(20, 26).toString('hex')).toBe('00350fa0000b')
    expect(packet.subarray(28).toString()).toBe('abc')
    const pseudo = Buffer.concat([packet.subarray(12, 20), Buffer.from([0, 17, 0, 11])])
    expect(checksum(pseudo, packet.subarray(20))).toBe(0)
  })

  test('IPv6 has the traffic class and the hop limit in its header', () => {
    const six = datagram({ source: LOOPBACK[16], destination: LOOPBACK[16], tos: 0x28, ttl: 7 })
    const packet = Buffer.from(packetOf(six, 4000, IPPROTO.UDP))
    expect(packet.subarray(0, 8).toString('hex')).toBe('62800000000b1107')
    expect(packet.length).toBe(40 + 8 + 3)
  })

  test('UDP-Lite covers everything: 0 in place of the length', () => {
    const packet = Buffer.from(packetOf(datagram({}), 4000, IPPROTO.UDPLITE))
    expect(packet.readUInt16BE(24)).toBe(0)
    expect(packet[9]).toBe(136)
  })

  test('an address of IPv4 within one of IPv6', () => {
    const mapped = Buffer.from('00000000000000000000ffff0a000001', 'hex')
    expect([...unmapped(mapped)]).toEqual([10, 0, 0, 1])
    expect(unmapped(LOOPBACK[16])).toBe(LOOPBACK[16])
  })
})

describe('what /proc/net tells', () => {
  test('groups of IPv4, below their devices', () => {
    const text = [
      'Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter',
      '1\tlo        :     1      V3',
      '\t\t\t\t010000E0     1 0:00000000\t\t0',
      '2\teth0      :     2      V3',
      '\t\t\t\tFB0000E0     1 0:00000000\t\t0',
      '\t\t\t\t010000E0     1 0:00000000\t\t0',
      '',
    ].join('\n')
    const groups = parseIgmp(text).map(({ device, index, group }) => [device, index, [...group]])
    expect(groups).toEqual([
      ['lo', 1, [224, 0, 0, 1]],
      ['eth0', 2, [224, 0, 0, 251]],
      ['eth0', 2, [224, 0, 0, 1]],
    ])
  })

  test('groups of IPv6, one a line', () => {
    const text = '2    eth0            ff0200000000000000000000000000fb     1 00000004 0\n'
    const [one] = parseIgmp6(text)
    expect([one!.device, one!.index]).toEqual(['eth0', 2])
    expect(Buffer.from(one!.group).toString('hex')).toBe('ff0200000000000000000000000000fb')
    expect(parseIgmp6('')).toEqual([])
  })

  test('raw sockets by inode: state, and the words of the peer', () => {
    const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when ...'
    const line =
      '  1: 0100007F:0001 0400007F:0000 01 00000000:00000000 00:00000000 00000000     0        0 4711 2 0'
    expect(parseSockets(`${head}\n${line}\n`)).toEqual(
      new Map([[4711, { state: 1, destination: [0x0400007f] }]]),
    )
  })
})

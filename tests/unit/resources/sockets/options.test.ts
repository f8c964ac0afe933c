import { describe, expect, test } from 'bun:test'
import { AF, SO, SOCK, SOL } from '../../../../src/kernel/constants/socket.ts'
import { timeval } from '../../../../src/kernel/layout/time.ts'
import {
  intBytes,
  tryGetInt,
  tryGetOption,
  trySetInt,
  trySetOption,
} from '../../../../src/kernel/socket-option.ts'
import { statFd } from '../../../../src/kernel/stat.ts'
import { must, owned } from '../../../../src/kernel/sys.ts'
import {
  bindSocket,
  dumpSocketOptions,
  finishSocketOptions,
  restoreSocketOptions,
  type SocketOptions,
} from '../../../../src/resources/sockets/options.ts'
import { makeSocket, probeOf, refusals, throughImage } from './job.ts'

const families = [
  ['unix', AF.UNIX, SOCK.STREAM],
  ['tcp', AF.INET, SOCK.STREAM],
  ['udp over IPv6', AF.INET6, SOCK.DGRAM],
  ['netlink', AF.NETLINK, SOCK.RAW],
] as const

/** All options of a socket that can be read, without those that tell which socket it is. */
function everyOption(fd: number): Record<string, string> {
  const hidden = new Set<number>([SO.COOKIE, SO.ERROR, SO.MEMINFO])
  const names = Object.entries(SO).filter(([, option]) => !hidden.has(option))
  const values = names.flatMap(([name, option]) => {
    const raw = tryGetOption(fd, SOL.SOCKET, option, 16)
    return raw ? [[name, Buffer.from(raw).toString('hex')]] : []
  })
  return Object.fromEntries(values)
}

function restored(fd: ReturnType<typeof makeSocket>, again: typeof fd): SocketOptions {
  const { dump, obstacles } = refusals()
  const entry = throughImage('sk_opts_entry', dumpSocketOptions(probeOf(fd), dump))
  expect(obstacles).toEqual([])
  restoreSocketOptions(again, entry)
  finishSocketOptions(again, entry)
  return entry
}

describe.each(families)('options of %s', (_, family, type) => {
  test('a new socket has nothing but what upstream writes', () => {
    using one = owned(makeSocket(family, type))
    using two = owned(makeSocket(family, type))
    const entry = restored(one.fd, two.fd)
    expect(Object.getOwnPropertySymbols(entry)).toEqual([])
    expect(entry.so_mark).toBeUndefined()
    expect(entry.so_linger).toBeUndefined()
    expect(everyOption(two.fd)).toEqual(everyOption(one.fd))
  })

  test('each one that can be set comes back, all at once', () => {
    using one = owned(makeSocket(family, type))
    using two = owned(makeSocket(family, type))
    const set = settable.filter(([, option, value]) => {
      return trySetOption(one.fd, SOL.SOCKET, option, value) === 0
    })
    expect(set.length).toBeGreaterThan(20)
    const before = everyOption(one.fd)
    restored(one.fd, two.fd)
    expect(everyOption(two.fd)).toEqual(before)
  })

  test('owner and permissions of the socket itself', () => {
    using one = owned(makeSocket(family, type))
    using two = owned(makeSocket(family, type))
    must('fchown', one.fd, 1234, 5678)
    must('fchmod', one.fd, 0o640)
    restored(one.fd, two.fd)
    const { uid, gid, mode } = statFd(two.fd)
    expect([uid, gid, mode]).toEqual([1234, 5678, 0o140640])
  })
})

const int = intBytes
const settable: readonly [string, number, Uint8Array][] = (
  [
    ['DEBUG', int(1)],
    ['REUSEADDR', int(1)],
    ['REUSEPORT', int(1)],
    ['DONTROUTE', int(1)],
    ['BROADCAST', int(1)],
    ['SNDBUF', int(40000)],
    ['RCVBUF', int(50000)],
    ['KEEPALIVE', int(1)],
    ['OOBINLINE', int(1)],
    ['NO_CHECK', int(1)],
    ['PRIORITY', int(5)],
    ['LINGER', Buffer.concat([int(1), int(17)])],
    ['PASSCRED', int(1)],
    ['RCVLOWAT', int(300)],
    ['RCVTIMEO', timeval.encode({ sec: 7n, usec: 500000n })],
    ['SNDTIMEO', timeval.encode({ sec: 8n, usec: 0n })],
    ['BINDTODEVICE', Buffer.from('lo\0')],
    ['TIMESTAMPNS', int(1)],
    ['PASSSEC', int(1)],
    ['MARK', int(0x11223344)],
    ['TIMESTAMPING', int(0x58)],
    ['TIMESTAMPING_NEW', int(0x58)],
    ['RXQ_OVFL', int(1)],
    ['WIFI_STATUS', int(1)],
    ['PEEK_OFF', int(4)],
    ['NOFCS', int(1)],
    ['SELECT_ERR_QUEUE', int(1)],
    ['BUSY_POLL', int(50)],
    ['MAX_PACING_RATE', Buffer.from('00e1f50500000000', 'hex')],
    ['INCOMING_CPU', int(1)],
    ['ZEROCOPY', int(1)],
    ['TXTIME', Buffer.concat([int(11), int(2)])],
    ['PREFER_BUSY_POLL', int(1)],
    ['TXREHASH', int(0)],
    ['RCVMARK', int(1)],
    ['PASSPIDFD', int(1)],
    ['RCVPRIORITY', int(1)],
    ['PASSRIGHTS', int(0)],
    ['INQ', int(1)],
  ] as const
).map(([name, value]) => [name, SO[name], value])

/** What options that leave each other no room have: one at a time. */
test.each([
  ['TIMESTAMP', int(1)],
  ['TIMESTAMP_NEW', int(1)],
  ['TIMESTAMPNS_NEW', int(1)],
  ['TIMESTAMPING', int(0x18)],
  ['BUF_LOCK', int(2)],
  ['BUF_LOCK', int(1)],
] as const)('%s alone', (name, value) => {
  using one = owned(makeSocket(AF.INET, SOCK.STREAM))
  using two = owned(makeSocket(AF.INET, SOCK.STREAM))
  expect(trySetOption(one.fd, SOL.SOCKET, SO[name], value)).toBe(0)
  const before = everyOption(one.fd)
  restored(one.fd, two.fd)
  expect(everyOption(two.fd)).toEqual(before)
})

test('numbered time stamps are refused by name', () => {
  using one = owned(makeSocket(AF.INET, SOCK.DGRAM))
  trySetInt(one.fd, SOL.SOCKET, SO.TIMESTAMPING, 0x80 | 0x10)
  const { dump, obstacles } = refusals()
  dumpSocketOptions(probeOf(one.fd), dump)
  expect(obstacles[0]!.what).toContain('SOF_TIMESTAMPING_OPT_ID')
})

describe('a classic filter', () => {
  /** ld #pktlen; jgt #100, 0, 1; ret #65535; ret #0 */
  const words = [0x80n << 48n, (0x25n << 48n) | (1n << 32n) | 100n, (6n << 48n) | 65535n, 6n << 48n]

  test('comes back with its lock', () => {
    using one = owned(makeSocket(AF.INET, SOCK.DGRAM))
    using two = owned(makeSocket(AF.INET, SOCK.DGRAM))
    using three = owned(makeSocket(AF.INET, SOCK.DGRAM))
    const entry = restored(one.fd, two.fd)
    finishSocketOptions(two.fd, { ...entry, so_filter: words })
    trySetInt(two.fd, SOL.SOCKET, SO.LOCK_FILTER, 1)
    expect(restored(two.fd, three.fd).so_filter).toEqual(words)
    expect(tryGetInt(three.fd, SOL.SOCKET, SO.LOCK_FILTER)).toBe(1)
  })
})

describe('a port that is taken', () => {
  const address = Buffer.from('02000000000000000000000000000000', 'hex')

  test('by one that was bound before SO_REUSEADDR was taken away again', () => {
    using one = owned(makeSocket(AF.INET, SOCK.DGRAM))
    using two = owned(makeSocket(AF.INET, SOCK.DGRAM))
    const { dump } = refusals()
    const plain = dumpSocketOptions(probeOf(one.fd), dump)
    address.writeUInt16BE(39471, 2)
    expect(bindSocket(one.fd, address, plain)).toBe(0)
    expect(tryGetInt(one.fd, SOL.SOCKET, SO.REUSEADDR)).toBe(1)
    expect(bindSocket(two.fd, address, plain)).toBe(0)
    for (const { fd } of [one, two]) finishSocketOptions(fd, plain)
    expect(tryGetInt(two.fd, SOL.SOCKET, SO.REUSEADDR)).toBe(0)
    expect(tryGetInt(two.fd, SOL.SOCKET, SO.REUSEPORT)).toBe(0)
  })
})

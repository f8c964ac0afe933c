import { describe, expect, test } from 'bun:test'
import { readlinkSync } from 'node:fs'
import { CriuError } from '../../../../src/errors/error.ts'
import { NETLINK, NLM_F, UDIAG_SHOW, UNIX_DIAG } from '../../../../src/kernel/constants/netlink.ts'
import { AF, SOCK } from '../../../../src/kernel/constants/socket.ts'
import { Errno } from '../../../../src/kernel/errno.ts'
import { unixDiagMsg, unixDiagReq } from '../../../../src/kernel/layout/netlink.ts'
import { scratch } from '../../../../src/kernel/memory.ts'
import {
  attribute,
  attributeBe32,
  attributeString,
  attributeU32,
  attributeU64,
  joinBytes,
  nest,
  parseAttributes,
} from '../../../../src/kernel/netlink/attributes.ts'
import { OWN_NET_NAMESPACE } from '../../../../src/kernel/netlink/namespace.ts'
import { ALL_STATES, dumpSockets } from '../../../../src/kernel/netlink/sock-diag.ts'
import { NetlinkSocket } from '../../../../src/kernel/netlink/socket.ts'
import { statFd } from '../../../../src/kernel/stat.ts'
import { close, must } from '../../../../src/kernel/sys.ts'

const RTM_GETLINK = 18
const RTM_NEWLINK = 16
const IFLA_IFNAME = 3
const IFINFOMSG = 16

const everyUnixSocket = unixDiagReq.encode({
  sdiag_family: AF.UNIX,
  udiag_states: ALL_STATES,
  udiag_show: UDIAG_SHOW.NAME | UDIAG_SHOW.PEER,
})

describe('attributes', () => {
  test('what is built is parsed again, nested ones too', () => {
    const bytes = joinBytes([
      attributeU32(1, 7),
      attributeBe32(2, 7),
      attributeU64(3, 1n << 40n),
      attributeString(4, 'name'),
      nest(5, nest(6, attributeU32(1, 1)), nest(6, attributeU32(1, 2))),
      attribute(7, Uint8Array.of(1, 2, 3, 4, 5)),
    ])
    const found = parseAttributes(bytes)
    expect(found.u32(1)).toBe(7)
    expect(found.be32(2)).toBe(7)
    expect(found.u64(3)).toBe(1n << 40n)
    expect(found.string(4)).toBe('name')
    expect(found.nested(5)!.eachNested(6)).toHaveLength(2)
    expect(
      found
        .nested(5)!
        .eachNested(6)
        .map((one) => one.u32(1)),
    ).toEqual([1, 2])
    expect([...found.bytes(7)!]).toEqual([1, 2, 3, 4, 5])
    expect(found.has(8)).toBe(false)
    expect(found.u32(8)).toBeUndefined()
  })

  test('one that reaches beyond the end is an error', () => {
    expect(() => parseAttributes(Uint8Array.of(9, 0, 1, 0, 0, 0, 0, 0))).toThrow(RangeError)
    expect(() => parseAttributes(Uint8Array.of(3, 0, 1, 0))).toThrow(RangeError)
  })
})

describe('netlink sockets', () => {
  test('a dump of many parts is read to its end', () => {
    using s = scratch()
    const pairs = Array.from({ length: 500 }, () => {
      const pair = s.take(8)
      must('socketpair', AF.UNIX, SOCK.STREAM | SOCK.CLOEXEC, 0, pair.address)
      return [pair.view.getInt32(0, true), pair.view.getInt32(4, true)] as const
    })
    try {
      const peers = new Map(
        dumpSockets(everyUnixSocket, 'dump of unix sockets').map(({ body }) => [
          unixDiagMsg.decode(body).udiag_ino,
          parseAttributes(body, unixDiagMsg.size).u32(UNIX_DIAG.PEER),
        ]),
      )
      const inode = (fd: number) => Number(statFd(fd).ino)
      for (const [a, b] of pairs) expect(peers.get(inode(a))).toBe(inode(b))
    } finally {
      for (const fd of pairs.flat()) close(fd)
    }
  })

  test('a request has its answer, or the errno', () => {
    using socket = new NetlinkSocket(NETLINK.ROUTE)
    const loopback = new Uint8Array(IFINFOMSG)
    new DataView(loopback.buffer).setInt32(4, 1, true)
    const [link] = socket.request({ type: RTM_GETLINK, flags: 0, body: loopback }, 'get lo')
    expect(link!.type).toBe(RTM_NEWLINK)
    expect(parseAttributes(link!.body, IFINFOMSG).string(IFLA_IFNAME)).toBe('lo')

    new DataView(loopback.buffer).setInt32(4, 0x7ffffff0, true)
    const refused = socket.tryRequest({ type: RTM_GETLINK, flags: 0, body: loopback })
    expect(refused.errno).toBe(Errno.ENODEV)
    const again = () =>
      socket.request({ type: RTM_GETLINK, flags: 0, body: loopback }, 'get a link')
    expect(again).toThrow(
      new CriuError({ code: 'syscall', operation: 'get a link', errno: Errno.ENODEV }).message,
    )
  })

  test('several requests in one datagram are answered each', () => {
    using socket = new NetlinkSocket(NETLINK.ROUTE)
    const body = new Uint8Array(IFINFOMSG)
    new DataView(body.buffer).setInt32(4, 1, true)
    const nowhere = new Uint8Array(IFINFOMSG)
    new DataView(nowhere.buffer).setInt32(4, 0x7ffffff0, true)
    const answers = socket.tryBatch([
      { type: RTM_GETLINK, flags: NLM_F.ACK, body },
      { type: RTM_GETLINK, flags: NLM_F.ACK, body: nowhere },
      { type: RTM_GETLINK, flags: NLM_F.ACK, body },
    ])
    expect(answers.map(({ errno }) => errno)).toEqual([0, Errno.ENODEV, 0])
    expect(answers.map(({ messages }) => messages.length)).toEqual([1, 0, 1])
  })

  test('a namespace has its own sockets', async () => {
    using s = scratch()
    const pair = s.take(8)
    must('socketpair', AF.UNIX, SOCK.STREAM | SOCK.CLOEXEC, 0, pair.address)
    const there = Bun.spawn(['unshare', '--net', 'sh', '-c', 'echo ready; exec sleep 60'])
    try {
      await there.stdout.getReader().read()
      const before = readlinkSync(OWN_NET_NAMESPACE)
      const namespace = `/proc/${there.pid}/ns/net`
      expect(dumpSockets(everyUnixSocket, 'dump of unix sockets', namespace)).toEqual([])
      expect(readlinkSync(OWN_NET_NAMESPACE)).toBe(before)
      expect(dumpSockets(everyUnixSocket, 'dump of unix sockets').length).toBeGreaterThan(1)
    } finally {
      there.kill()
      for (const at of [0, 4]) close(pair.view.getInt32(at, true))
    }
  })
})

import { describe, expect, test } from 'bun:test'
import { IP, IPV6 } from '../../../../src/kernel/constants/ip.ts'
import { AF, SOCK, SOL } from '../../../../src/kernel/constants/socket.ts'
import { intBytes, tryGetOption, trySetOption } from '../../../../src/kernel/socket-option.ts'
import { owned } from '../../../../src/kernel/sys.ts'
import { dumpIpOptions, restoreIpOptions } from '../../../../src/resources/sockets/ip-options.ts'
import { makeSocket, throughImage } from './job.ts'

const sockets = [
  ['tcp over IPv4', AF.INET, SOCK.STREAM],
  ['udp over IPv4', AF.INET, SOCK.DGRAM],
  ['tcp over IPv6', AF.INET6, SOCK.STREAM],
  ['udp over IPv6', AF.INET6, SOCK.DGRAM],
] as const

function everyOption(fd: number): Record<string, string> {
  const of = (prefix: string, level: number, options: Record<string, number>) =>
    Object.entries(options).flatMap(([name, option]) => {
      const raw = tryGetOption(fd, level, option, 256)
      return raw ? [[prefix + name, Buffer.from(raw).toString('hex')]] : []
    })
  return Object.fromEntries([...of('IP_', SOL.IP, IP), ...of('IPV6_', SOL.IPV6, IPV6)])
}

/** A header of 8 bytes with nothing but padding (PadN). */
const padding = Buffer.from('0000010400000000', 'hex')
const values: Readonly<Record<string, Uint8Array>> = {
  IP_TTL: intBytes(33),
  IP_TOS: intBytes(0x48),
  IP_OPTIONS: Buffer.from('01010100', 'hex'),
  IP_MTU_DISCOVER: intBytes(3),
  IP_MINTTL: intBytes(5),
  IP_MULTICAST_TTL: intBytes(9),
  IP_MULTICAST_LOOP: intBytes(0),
  IP_MULTICAST_ALL: intBytes(0),
  IP_MULTICAST_IF: Buffer.from([127, 0, 0, 1]),
  IP_UNICAST_IF: Buffer.from([0, 0, 0, 1]),
  IP_LOCAL_PORT_RANGE: intBytes((41000 << 16) | 40000),
  IPV6_UNICAST_HOPS: intBytes(33),
  IPV6_MULTICAST_HOPS: intBytes(9),
  IPV6_MULTICAST_LOOP: intBytes(0),
  IPV6_MULTICAST_ALL: intBytes(0),
  IPV6_MULTICAST_IF: intBytes(1),
  IPV6_MTU_DISCOVER: intBytes(2),
  IPV6_TCLASS: intBytes(0x48),
  IPV6_AUTOFLOWLABEL: intBytes(0),
  IPV6_ADDR_PREFERENCES: intBytes(1),
  IPV6_MINHOPCOUNT: intBytes(7),
  IPV6_UNICAST_IF: Buffer.from([0, 0, 0, 1]),
  IPV6_HOPOPTS: padding,
  IPV6_DSTOPTS: padding,
  IPV6_RTHDRDSTOPTS: padding,
}
/** Not of our table: questions without answers, what decides the kind of socket, raw sockets' own. */
const apart =
  /_(ADDRFORM|V6ONLY|HDRINCL|MEMBERSHIP|ANYCAST|MTU|PKTOPTIONS|MSFILTER|POLICY|NODEFRAG|ROUTER_ALERT|RTHDR)$/

describe.each(sockets)('options of %s', (_, family, type) => {
  test('a new socket has none to be written', () => {
    using one = owned(makeSocket(family, type))
    const entry = dumpIpOptions(one.fd, family === AF.INET6)
    expect(entry).toEqual({})
    expect(Object.getOwnPropertySymbols(entry)).toEqual([])
  })

  test('each one that can be set comes back, all at once', () => {
    using one = owned(makeSocket(family, type))
    using two = owned(makeSocket(family, type))
    const fresh = everyOption(one.fd)
    for (const name of Object.keys(fresh)) {
      if (apart.test(name)) continue
      const isV4 = name.startsWith('IP_')
      const option = isV4
        ? IP[name.slice(3) as keyof typeof IP]
        : IPV6[name.slice(5) as keyof typeof IPV6]
      trySetOption(one.fd, isV4 ? SOL.IP : SOL.IPV6, option, values[name] ?? intBytes(1))
    }
    const before = everyOption(one.fd)
    const changed = Object.keys(before).filter((name) => before[name] !== fresh[name])
    expect(changed.length).toBeGreaterThan(family === AF.INET ? 18 : 40)
    restoreIpOptions(
      two.fd,
      throughImage('ip_opts_entry', dumpIpOptions(one.fd, family === AF.INET6)),
    )
    expect(everyOption(two.fd)).toEqual(before)
  })
})

import { O } from '../../kernel/constants/fcntl.ts'
import { NETLINK, NLM_F } from '../../kernel/constants/netlink.ts'
import {
  IFA,
  IFLA,
  IFLA_INFO,
  IFLA_TUN,
  IFLA_XDP,
  NUD,
  RT_TABLE,
  RTA,
  RTM,
  RTPROT,
} from '../../kernel/constants/rtnetlink.ts'
import { AF } from '../../kernel/constants/socket.ts'
import { readdirSync, readFileSync } from '../../kernel/fs.ts'
import { ifaddrmsg, ifinfomsg, ndmsg, rtmsg } from '../../kernel/layout/rtnetlink.ts'
import { scratch } from '../../kernel/memory.ts'
import {
  type Attributes,
  attribute,
  joinBytes,
  parseAttributes,
} from '../../kernel/netlink/attributes.ts'
import { NetlinkSocket } from '../../kernel/netlink/socket.ts'
import { checked, open, owned, sys } from '../../kernel/sys.ts'

/**
 * What a network device that goes with its program has in its namespace: settings, addresses, routes,
 * permanent neighbours, and sysctls that are not as by default. All of it as netlink messages, one
 * after the other in the form of attributes (the message's type, its body); sysctls as text.
 */
export interface LinkState {
  readonly index: number
  /** −1: none. */
  readonly owner: number
  readonly group: number
  readonly messages: Uint8Array
}

/** Type under which a sysctl stands among the messages: `name=value`. */
const SYSCTL = 1

/** What of a link cannot be made again. */
export interface Unrestorable {
  readonly refusal: string
}

/** The link of that name in our own network namespace. */
function tryFind(socket: NetlinkSocket, name: string): Uint8Array | undefined {
  const links = socket.dump(RTM.GETLINK, ifinfomsg.encode({}), 'RTM_GETLINK')
  return links.find(({ body }) => attributesOf(body).string(IFLA.IFNAME) === name)?.body
}

const attributesOf = (link: Uint8Array): Attributes => parseAttributes(link, ifinfomsg.size)

/** Do packets begin with struct tun_pi? TUNGETIFF has another meaning for that bit (IFF_NOFILTER). */
export function hasPacketInfo(name: string): boolean {
  using socket = new NetlinkSocket(NETLINK.ROUTE)
  const link = tryFind(socket, name)
  const data = link && attributesOf(link).nested(IFLA.LINKINFO)?.nested(IFLA_INFO.DATA)
  return data?.u8(IFLA_TUN.PI) === 1
}

export function readLink(name: string): LinkState | Unrestorable {
  using socket = new NetlinkSocket(NETLINK.ROUTE)
  const link = tryFind(socket, name)
  if (!link) return { refusal: 'of another network namespace' }
  const { index } = ifinfomsg.decode(link)
  const attributes = attributesOf(link)
  const routes = routesOf(socket, index)
  const refusal = whyRefused(attributes) ?? ('refusal' in routes ? routes.refusal : undefined)
  if (refusal !== undefined || 'refusal' in routes) return { refusal: refusal ?? '' }
  const data = attributes.nested(IFLA.LINKINFO)?.nested(IFLA_INFO.DATA)
  return {
    index,
    owner: data?.u32(IFLA_TUN.OWNER) ?? -1,
    group: data?.u32(IFLA_TUN.GROUP) ?? -1,
    messages: joinBytes([
      // Before it is up, since they say what the kernel does then.
      ...sysctls(name),
      attribute(RTM.SETLINK, settings(link)),
      ...addresses(socket, index).map((body) => attribute(RTM.NEWADDR, body)),
      ...routes,
      ...neighbours(socket, index),
    ]),
  }
}

/** Disciplines that a device has by itself. */
const BY_DEFAULT: readonly string[] = ['noqueue', 'pfifo_fast', 'mq', 'fq_codel', 'fq', 'noop']

function whyRefused(attributes: Attributes): string | undefined {
  if (attributes.has(IFLA.MASTER)) return 'that is part of a bridge or another device'
  if (attributes.nested(IFLA.XDP)?.u8(IFLA_XDP.ATTACHED)) return 'with a program of XDP'
  const discipline = attributes.string(IFLA.QDISC) ?? 'noqueue'
  return BY_DEFAULT.includes(discipline) ? undefined : `with the queueing discipline ${discipline}`
}

/** IFF_UP … of which a caller may set these: up, promiscuous, all multicast, without ARP. */
const SETTABLE = 0x1 | 0x80 | 0x100 | 0x200

/** The link with those of its attributes that can be set. */
function settings(body: Uint8Array): Uint8Array {
  const kept: readonly number[] = [IFLA.ADDRESS, IFLA.MTU, IFLA.TXQLEN, IFLA.IFALIAS, IFLA.GROUP]
  const { index, flags } = ifinfomsg.decode(body)
  const attributes = parseAttributes(body, ifinfomsg.size).all.filter(
    ({ type, value }) => kept.includes(type) && value.length > 0,
  )
  return joinBytes([
    ifinfomsg.encode({ index, flags: flags & SETTABLE, change: SETTABLE }),
    ...attributes.map(({ type, value }) => attribute(type, value)),
  ])
}

function* sysctls(name: string): Generator<Uint8Array> {
  for (const family of ['ipv4', 'ipv6']) {
    const directory = `/proc/sys/net/${family}/conf`
    const files = tryList(`${directory}/${name}`)
    for (const file of [...files.filter(isFirst), ...files.filter((one) => !isFirst(one))]) {
      const value = tryRead(`${directory}/${name}/${file}`)
      const usual = tryRead(`${directory}/default/${file}`)
      if (value !== undefined && (value !== usual || file === 'addr_gen_mode'))
        yield attribute(SYSCTL, Buffer.from(`${family}/${file}=${value}`, 'latin1'))
    }
  }
}

/** Who sets it changes addr_gen_mode, which comes after it in any case. */
const isFirst = (file: string): boolean => file === 'stable_secret'

function tryList(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined // stable_secret is not to be read before it is set
  }
}

function addresses(socket: NetlinkSocket, index: number): Uint8Array[] {
  return socket
    .dump(RTM.GETADDR, ifaddrmsg.encode({}), 'RTM_GETADDR')
    .filter(({ body }) => ifaddrmsg.decode(body).index === index)
    .map(({ body }) => body)
}

/** Without those that the kernel makes of addresses. Those through a gateway come last. */
function routesOf(socket: NetlinkSocket, index: number): Uint8Array[] | Unrestorable {
  const all = [AF.INET, AF.INET6].flatMap((family) =>
    socket.dump(RTM.GETROUTE, rtmsg.encode({ family }), 'RTM_GETROUTE'),
  )
  const routes = all
    .map(({ body }) => ({ body, attributes: parseAttributes(body, rtmsg.size) }))
    .filter(({ body }) => {
      const { protocol, table } = rtmsg.decode(body)
      return protocol !== RTPROT.KERNEL && table !== RT_TABLE.LOCAL
    })
  const isShared = routes.some(({ attributes }) => {
    const hops = attributes.bytes(RTA.MULTIPATH)
    return hops !== undefined && hopsOf(hops).includes(index)
  })
  if (isShared) return { refusal: 'with a route that goes over other devices too' }
  const isDirect = ({ attributes }: (typeof routes)[number]) =>
    !attributes.has(RTA.GATEWAY) && !attributes.has(RTA.VIA)
  const own = routes.filter(({ attributes }) => attributes.u32(RTA.OIF) === index)
  return [...own.filter(isDirect), ...own.filter((one) => !isDirect(one))].map(
    ({ body, attributes }) => {
      const plain = attributes.all.filter(({ type }) => type !== RTA.CACHEINFO)
      // What the kernel tells of the state of a route is not for a caller to set.
      const head = rtmsg.encode({ ...rtmsg.decode(body), flags: 0 })
      const parts = plain.map(({ type, value }) => attribute(type, value))
      return attribute(RTM.NEWROUTE, joinBytes([head, ...parts]))
    },
  )
}

/** Indexes of struct rtnexthop: length (16 bits), flags, hops, index (32 bits). */
function hopsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const found: number[] = []
  for (let at = 0; at + 8 <= bytes.length; at += Math.max(8, (view.getUint16(at, true) + 3) & ~3))
    found.push(view.getInt32(at + 4, true))
  return found
}

function neighbours(socket: NetlinkSocket, index: number): Uint8Array[] {
  return socket
    .dump(RTM.GETNEIGH, ndmsg.encode({}), 'RTM_GETNEIGH')
    .filter(({ body }) => {
      const { ifindex, state } = ndmsg.decode(body)
      return ifindex === index && (state & NUD.PERMANENT) !== 0
    })
    .map(({ body }) => attribute(RTM.NEWNEIGH, body))
}

/** Gives a new device what the old one had; it must have the same index. */
export function restoreLink(name: string, index: number, messages: Uint8Array): void {
  using socket = new NetlinkSocket(NETLINK.ROUTE)
  const context = { kind: `TUN/TAP device ${name}` }
  const all = parseAttributes(messages).all
  for (const { type, value } of all) {
    if (type === SYSCTL) writeSysctl(name, Buffer.from(value).toString('latin1'))
    else {
      const flags = type === RTM.SETLINK ? 0 : NLM_F.CREATE | NLM_F.REPLACE
      checked(-socket.tryRequest({ type, flags, body: value }).errno, operationOf(type), context)
    }
  }
  // A device that comes up gives itself a link-local address; of TUN devices it is a random one.
  const wanted = new Set(
    all.flatMap(({ type, value }) => (type === RTM.NEWADDR ? keyOf(value) : [])),
  )
  for (const body of addresses(socket, index))
    if (!wanted.has(keyOf(body)))
      socket.request({ type: RTM.DELADDR, flags: 0, body }, 'RTM_DELADDR')
}

/** Family, length and address. */
function keyOf(body: Uint8Array): string {
  const { family, prefixlen } = ifaddrmsg.decode(body)
  const attributes = parseAttributes(body, ifaddrmsg.size)
  const address = attributes.bytes(IFA.LOCAL) ?? attributes.bytes(IFA.ADDRESS)
  return `${family}/${prefixlen}/${Buffer.from(address ?? []).toString('hex')}`
}

const operationOf = (type: number): string =>
  `RTM_${Object.entries(RTM).find(([, number]) => number === type)?.[0] ?? type}`

function writeSysctl(device: string, text: string): void {
  const [, family, file, value] = /^(ipv[46])\/(\w+)=(.*)$/s.exec(text) ?? []
  if (!family) return
  const path = `/proc/sys/net/${family}/conf/${device}/${file}`
  using target = owned(open(path, O.WRONLY))
  using s = scratch()
  const bytes = s.put(Buffer.from(value!, 'latin1'))
  checked(sys('write', target.fd, bytes.address, value!.length), `write of ${value!.trim()}`, {
    path,
  })
}

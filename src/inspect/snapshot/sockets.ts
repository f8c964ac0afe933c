import type { Messages } from '../../images/gen/messages.ts'
import { decodeText } from '../../images/text.ts'
import { AF, SOCK } from '../../kernel/constants/socket.ts'
import { readable } from '../json/text-value.ts'
import type { Socket } from './model.ts'

type FileEntry = Messages['file_entry']

/** enum of netinet/tcp.h; other sockets use the same numbers: 1 connected, 7 not, 10 listening. */
const STATES: Readonly<Record<number, string>> = {
  1: 'established',
  2: 'syn-sent',
  3: 'syn-recv',
  4: 'fin-wait-1',
  5: 'fin-wait-2',
  6: 'time-wait',
  7: 'closed',
  8: 'close-wait',
  9: 'last-ack',
  10: 'listening',
  11: 'closing',
}

/** IPPROTO_* of netinet/in.h, as ss(8) calls them. */
const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  58: 'icmpv6',
  132: 'sctp',
  136: 'udplite',
  255: 'raw',
}

const TYPES: Readonly<Record<number, string>> = {
  [SOCK.STREAM]: 'stream',
  [SOCK.DGRAM]: 'dgram',
  [SOCK.RAW]: 'raw',
  [SOCK.SEQPACKET]: 'seqpacket',
}

const named = (names: Readonly<Record<number, string>>, value: number): string =>
  names[value] ?? String(value)

/** The socket that an open file is; undefined: it is none. `queued` by its id in the images. */
export function socketOf(entry: FileEntry, queued: (id: number, inode: number) => number) {
  const found =
    inetSocket(entry) ?? unixSocket(entry) ?? netlinkSocket(entry) ?? packetSocket(entry)
  return found && { ...found, queued: queued(entry.id, found.inode) }
}

type Without = Omit<Socket, 'queued'>

function inetSocket({ id, isk }: FileEntry): Without | undefined {
  if (isk === undefined) return undefined
  const { family, type, proto, state, ino, src_addr, src_port, dst_addr, dst_port } = isk
  const bound = src_port !== 0 || src_addr.some((word) => word !== 0)
  const connected = dst_port !== 0 || dst_addr.some((word) => word !== 0)
  return {
    id,
    family: family === AF.INET6 ? 'inet6' : 'inet',
    type: named(TYPES, type),
    protocol: named(PROTOCOLS, proto),
    state: type === SOCK.STREAM || connected ? named(STATES, state) : 'unconnected',
    local: bound ? endpoint(src_addr, src_port) : '',
    remote: connected ? endpoint(dst_addr, dst_port) : '',
    inode: ino,
  }
}

/** `127.0.0.1:80`, `[::1]:80`. The words are as they lie in memory, in network order. */
export function endpoint(words: readonly number[], port: number): string {
  const bytes = words.flatMap((word) => [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff))
  if (bytes.length <= 4) return `${bytes.join('.')}:${port}`
  return `[${inet6(bytes)}]:${port}`
}

/** The longest run of zero groups becomes `::` (RFC 5952). */
function inet6(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  )
  const text = groups.join(':')
  const runs = text.match(/(?:^|:)0(?::0)+(?=:|$)/g)?.sort((a, b) => b.length - a.length)
  const longest = runs?.[0]
  if (longest === undefined) return text
  const short = text.replace(longest, '::').replace(/:::+/, '::')
  return short === '' ? '::' : short
}

function unixSocket({ id, usk }: FileEntry): Without | undefined {
  if (usk === undefined) return undefined
  const { type, state, ino, peer, name } = usk
  return {
    id,
    family: 'unix',
    type: named(TYPES, type),
    protocol: undefined,
    state: peer !== 0 ? 'connected' : state === 10 ? 'listening' : 'unconnected',
    local: unixName(name),
    remote: peer === 0 ? '' : `unix[${peer}]`,
    inode: ino,
  }
}

/** Abstract names begin with a zero byte, which is shown as `@` (unix(7), ss(8)). */
function unixName(name: Uint8Array): string {
  const text = decodeText(name)
  if (text.startsWith('\0')) return `@${readable(text.slice(1))}`
  return readable(text.replace(/\0$/, ''))
}

function netlinkSocket({ id, nlsk }: FileEntry): Without | undefined {
  if (nlsk === undefined) return undefined
  const { protocol, portid, dst_portid, dst_group, ino } = nlsk
  return {
    id,
    family: 'netlink',
    type: 'raw',
    protocol: String(protocol),
    state: dst_portid !== 0 || dst_group !== 0 ? 'connected' : 'unconnected',
    local: portid === 0 ? '' : `port ${portid}`,
    remote: dst_portid === 0 ? '' : `port ${dst_portid}`,
    inode: ino,
  }
}

function packetSocket({ id, psk }: FileEntry): Without | undefined {
  if (psk === undefined) return undefined
  const { type, protocol, ifindex } = psk
  return {
    id,
    family: 'packet',
    type: named(TYPES, type),
    protocol: `0x${protocol.toString(16)}`,
    state: 'bound',
    local: ifindex === 0 ? '' : `interface ${ifindex}`,
    remote: '',
    inode: 0,
  }
}

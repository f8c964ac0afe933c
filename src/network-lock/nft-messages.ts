import { NLM_F } from '../kernel/constants/netlink.ts'
import {
  NF,
  NF_INET,
  NFNL_MSG,
  NFNL_SUBSYS,
  NFPROTO,
  NFT_CMP,
  NFT_META,
  NFT_MSG,
  NFT_PAYLOAD,
  NFT_REG,
  NFT_REG32_00,
  NFTA_CHAIN,
  NFTA_CMP,
  NFTA_DATA,
  NFTA_EXPR,
  NFTA_HOOK,
  NFTA_IMMEDIATE,
  NFTA_LIST,
  NFTA_LOOKUP,
  NFTA_META,
  NFTA_PAYLOAD,
  NFTA_RULE,
  NFTA_SET,
  NFTA_SET_DESC,
  NFTA_SET_ELEM,
  NFTA_SET_ELEM_LIST,
  NFTA_TABLE,
  NFTA_VERDICT,
} from '../kernel/constants/nf-tables.ts'
import {
  attribute,
  attributeBe32,
  attributeString,
  joinBytes,
  nest,
} from '../kernel/netlink/attributes.ts'
import type { NetlinkRequest } from '../kernel/netlink/socket.ts'
import { type Connection, type IpVersion, onTheWire, versionOf } from './connection.ts'
import { type LockMark, markText } from './mark.ts'

/**
 * The lock as messages of nf_tables; in the words of nft(8):
 *
 *     table inet CRIU-<id> {
 *       comment "<mark>"
 *       set conns4 { typeof ip saddr . tcp sport . ip daddr . tcp dport }
 *       set conns6 { … }
 *       chain output { type filter hook output priority raw; policy accept
 *         meta mark 0xc114 accept
 *         ip saddr . tcp sport . ip daddr . tcp dport @conns4 drop
 *         ip6 saddr . tcp sport . ip6 daddr . tcp dport @conns6 drop
 *       }
 *       chain input { … the same with source and destination exchanged }
 *     }
 *
 * Names are upstream's. However many connections, a packet is looked up once.
 */

/** Packets of sockets with this SO_MARK pass: those that a restore makes. Upstream's SOCCR_MARK. */
export const EXEMPT_MARK = 0xc114

/** Where packets are as the socket sees them: before its own are translated (NAT, at −100) … */
const OUTPUT_PRIORITY = -300
/** … and after those for it were (at 100). */
const INPUT_PRIORITY = 200

/** Attributes are at most 64 KiB long; an element takes 52 bytes at most. */
const ELEMENTS_PER_MESSAGE = 1000

const IPPROTO_TCP = 6
/** Types of nft(8), 6 bits each: what makes it print a key as addresses and ports. */
const KEY_TYPE = { address4: 7, address6: 8, port: 13 }

interface Header {
  readonly version: IpVersion
  readonly nfproto: number
  readonly set: string
  readonly setId: number
  readonly addressLength: number
  /** In the header of IP. */
  readonly sourceOffset: number
  readonly destinationOffset: number
  readonly addressType: number
}

const headers: readonly Header[] = [
  {
    version: 4,
    nfproto: NFPROTO.IPV4,
    set: 'conns4',
    setId: 1,
    addressLength: 4,
    sourceOffset: 12,
    destinationOffset: 16,
    addressType: KEY_TYPE.address4,
  },
  {
    version: 6,
    nfproto: NFPROTO.IPV6,
    set: 'conns6',
    setId: 2,
    addressLength: 16,
    sourceOffset: 8,
    destinationOffset: 24,
    addressType: KEY_TYPE.address6,
  },
]

/** Requests of one transaction, enclosed: all of it happens, or nothing. The last is acknowledged. */
function transaction(requests: readonly NetlinkRequest[]): NetlinkRequest[] {
  const enclose = (type: number): NetlinkRequest => ({
    type,
    flags: 0,
    body: nfgenmsg(NFPROTO.UNSPEC, NFNL_SUBSYS.NFTABLES),
  })
  const last = requests.at(-1)!
  return [
    enclose(NFNL_MSG.BATCH_BEGIN),
    ...requests.slice(0, -1),
    { ...last, flags: last.flags | NLM_F.ACK },
    enclose(NFNL_MSG.BATCH_END),
  ]
}

/** Makes the table of that name. */
export function lockMessages(
  table: string,
  connections: readonly Connection[],
  mark: LockMark,
): NetlinkRequest[] {
  const wire = connections.map(onTheWire)
  return transaction([
    nftRequest(
      NFT_MSG.NEWTABLE,
      NLM_F.CREATE | NLM_F.EXCL,
      attributeString(NFTA_TABLE.NAME, table),
      attribute(NFTA_TABLE.USERDATA, comment(markText(mark))),
    ),
    ...headers.flatMap((header) => setMessages(table, header, wire)),
    ...chainMessages(table, 'output', NF_INET.LOCAL_OUT, OUTPUT_PRIORITY),
    ...chainMessages(table, 'input', NF_INET.LOCAL_IN, INPUT_PRIORITY),
  ])
}

/** Removes the table with all that is in it. */
export const unlockMessages = (table: string): NetlinkRequest[] =>
  transaction([nftRequest(NFT_MSG.DELTABLE, 0, attributeString(NFTA_TABLE.NAME, table))])

/** A request to nf_tables on an object of the family inet. */
function nftRequest(message: number, flags: number, ...attributes: Uint8Array[]): NetlinkRequest {
  const body = joinBytes([nfgenmsg(NFPROTO.INET, 0), ...attributes])
  return { type: nftType(message), flags, body }
}

export const nftType = (message: number): number => (NFNL_SUBSYS.NFTABLES << 8) | message

/** struct nfgenmsg: family, version 0, and a number in network order. */
export const nfgenmsg = (family: number, resource: number): Uint8Array =>
  Uint8Array.of(family, 0, resource >> 8, resource & 0xff)

/** User data of a table: type 0 (a comment), length, and the text with its zero (libnftnl, udata.h). */
function comment(text: string): Uint8Array {
  const value = Buffer.from(`${text}\0`, 'latin1')
  return Uint8Array.of(0, value.length, ...value)
}

function setMessages(table: string, header: Header, connections: readonly Connection[]) {
  const own = connections.filter((one) => versionOf(one) === header.version)
  const { addressType, addressLength, set, setId } = header
  const types = [addressType, KEY_TYPE.port, addressType, KEY_TYPE.port]
  const create = nftRequest(
    NFT_MSG.NEWSET,
    NLM_F.CREATE,
    attributeString(NFTA_SET.TABLE, table),
    attributeString(NFTA_SET.NAME, set),
    attributeBe32(
      NFTA_SET.KEY_TYPE,
      types.reduce((all, type) => (all << 6) | type, 0),
    ),
    attributeBe32(NFTA_SET.KEY_LEN, 2 * (addressLength + 4)),
    nest(NFTA_SET.DESC, attributeBe32(NFTA_SET_DESC.SIZE, Math.max(own.length, 1))),
    attributeBe32(NFTA_SET.ID, setId),
  )
  return [create, ...elementMessages(table, header, own)]
}

function elementMessages(table: string, { set, setId }: Header, own: readonly Connection[]) {
  const messages: NetlinkRequest[] = []
  for (let at = 0; at < own.length; at += ELEMENTS_PER_MESSAGE) {
    const some = own.slice(at, at + ELEMENTS_PER_MESSAGE).map(element)
    messages.push(
      nftRequest(
        NFT_MSG.NEWSETELEM,
        NLM_F.CREATE,
        attributeString(NFTA_SET_ELEM_LIST.TABLE, table),
        attributeString(NFTA_SET_ELEM_LIST.SET, set),
        attributeBe32(NFTA_SET_ELEM_LIST.SET_ID, setId),
        nest(NFTA_SET_ELEM_LIST.ELEMENTS, ...some),
      ),
    )
  }
  return messages
}

/** A key: each of its parts begins at a multiple of 4 bytes. */
function element({ local, remote }: Connection): Uint8Array {
  const port = (n: number): Uint8Array => Uint8Array.of(n >> 8, n & 0xff, 0, 0)
  const parts = [local.address, port(local.port), remote.address, port(remote.port)]
  const key = nest(NFTA_SET_ELEM.KEY, attribute(NFTA_DATA.VALUE, joinBytes(parts)))
  return nest(NFTA_LIST.ELEM, key)
}

function chainMessages(
  table: string,
  chain: 'input' | 'output',
  hook: number,
  priority: number,
): NetlinkRequest[] {
  const base = nftRequest(
    NFT_MSG.NEWCHAIN,
    NLM_F.CREATE,
    attributeString(NFTA_CHAIN.TABLE, table),
    attributeString(NFTA_CHAIN.NAME, chain),
    nest(
      NFTA_CHAIN.HOOK,
      attributeBe32(NFTA_HOOK.HOOKNUM, hook),
      attributeBe32(NFTA_HOOK.PRIORITY, priority >>> 0),
    ),
    attributeBe32(NFTA_CHAIN.POLICY, NF.ACCEPT),
    attributeString(NFTA_CHAIN.TYPE, 'filter'),
  )
  const rule = (...expressions: Uint8Array[]): NetlinkRequest =>
    nftRequest(
      NFT_MSG.NEWRULE,
      NLM_F.CREATE | NLM_F.APPEND,
      attributeString(NFTA_RULE.TABLE, table),
      attributeString(NFTA_RULE.CHAIN, chain),
      nest(NFTA_RULE.EXPRESSIONS, ...expressions),
    )
  return [
    base,
    rule(meta(NFT_META.MARK), equals(nativeU32(EXEMPT_MARK)), verdict(NF.ACCEPT)),
    ...headers.map((header) => rule(...dropConnections(header, chain === 'output'))),
  ]
}

/** The expressions of a rule; a comparison that does not hold ends it. */
function dropConnections(header: Header, outgoing: boolean): Uint8Array[] {
  const { addressLength, sourceOffset, destinationOffset, nfproto, set, setId } = header
  const source = { address: sourceOffset, port: 0 }
  const destination = { address: destinationOffset, port: 2 }
  const [local, remote] = outgoing ? [source, destination] : [destination, source]
  const half = addressLength / 4 + 1
  const end = ({ address, port }: typeof source, register: number) => [
    payload(NFT_PAYLOAD.NETWORK_HEADER, address, addressLength, register),
    payload(NFT_PAYLOAD.TRANSPORT_HEADER, port, 2, register + half - 1),
  ]
  return [
    meta(NFT_META.NFPROTO),
    equals(Uint8Array.of(nfproto)),
    meta(NFT_META.L4PROTO),
    equals(Uint8Array.of(IPPROTO_TCP)),
    ...end(local, NFT_REG32_00),
    ...end(remote, NFT_REG32_00 + half),
    expression(
      'lookup',
      attributeString(NFTA_LOOKUP.SET, set),
      attributeBe32(NFTA_LOOKUP.SREG, NFT_REG32_00),
      attributeBe32(NFTA_LOOKUP.SET_ID, setId),
    ),
    verdict(NF.DROP),
  ]
}

const expression = (name: string, ...data: Uint8Array[]): Uint8Array =>
  nest(NFTA_LIST.ELEM, attributeString(NFTA_EXPR.NAME, name), nest(NFTA_EXPR.DATA, ...data))

const meta = (key: number): Uint8Array =>
  expression('meta', attributeBe32(NFTA_META.KEY, key), attributeBe32(NFTA_META.DREG, NFT_REG[1]))

const equals = (value: Uint8Array): Uint8Array =>
  expression(
    'cmp',
    attributeBe32(NFTA_CMP.SREG, NFT_REG[1]),
    attributeBe32(NFTA_CMP.OP, NFT_CMP.EQ),
    nest(NFTA_CMP.DATA, attribute(NFTA_DATA.VALUE, value)),
  )

const payload = (base: number, offset: number, length: number, register: number): Uint8Array =>
  expression(
    'payload',
    attributeBe32(NFTA_PAYLOAD.DREG, register),
    attributeBe32(NFTA_PAYLOAD.BASE, base),
    attributeBe32(NFTA_PAYLOAD.OFFSET, offset),
    attributeBe32(NFTA_PAYLOAD.LEN, length),
  )

const verdict = (code: number): Uint8Array =>
  expression(
    'immediate',
    attributeBe32(NFTA_IMMEDIATE.DREG, NFT_REG.VERDICT),
    nest(NFTA_IMMEDIATE.DATA, nest(NFTA_DATA.VERDICT, attributeBe32(NFTA_VERDICT.CODE, code))),
  )

function nativeU32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

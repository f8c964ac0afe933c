import type { Messages } from '../../images/gen/messages.ts'
import { IP, IPV6 } from '../../kernel/constants/ip.ts'
import { SOL } from '../../kernel/constants/socket.ts'
import { UDP } from '../../kernel/constants/udp.ts'
import { inNetNamespace } from '../../kernel/netlink/namespace.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import type { RestoreContext } from '../restore-model.ts'
import { type Control, type PeekedDatagram, peekDatagrams } from './datagram-peek.ts'
import { addressFromName } from './inet-address.ts'
import { isOurAddress, LOOPBACK, tryAddressOfDevice, unmapped } from './local-address.ts'
import { receiveMemory } from './pending.ts'
import type { Refusal } from './refusal.ts'

/** A datagram that lies unread, as our own image has it. */
export type Datagram = Messages['criuts_datagram']

const IMAGE = 'criu-ts-datagrams'
const remedy = 'try again once the program has read it'

/** Datagrams that lay unread in any socket of a dump, until they are written. */
const collected = new WeakMap<DumpContext, Datagram[]>()

/**
 * Keeps what lies unread in a socket, or says why it cannot be sent once more: upstream lets all of it
 * go. Each is known by its sender, and where it went to if the program asks for that (IP_PKTINFO).
 */
export function collectDatagrams(
  probe: FdProbe,
  id: number,
  dump: DumpContext,
): Refusal | undefined {
  if (receiveMemory(probe.local) === 0) return undefined
  const all = collected.get(dump) ?? []
  collected.set(dump, all)
  const peeked = peekDatagrams(probe.local)
  // Which addresses are this machine's, and of which device, is its namespace's affair.
  const found = inNetNamespace(`${probe.task.proc}/ns/net`, () =>
    peeked.map((one) => describe(one, id)),
  )
  const why = found.find((one): one is Refusal => 'remedy' in one)
  if (why) return why
  for (const one of found) if (!('remedy' in one)) all.push(...one)
  return undefined
}

export function writeDatagrams(dump: DumpContext): void {
  const all = collected.get(dump) ?? []
  if (all.length > 0) dump.images.write(IMAGE, all)
}

const restored = new WeakMap<RestoreContext, Map<number, Datagram[]>>()

/** What lay in the socket of that file, in its order. */
export function datagramsOf(id: number, restore: RestoreContext): readonly Datagram[] {
  const known = restored.get(restore)
  if (known) return known.get(id) ?? []
  const all = restore.images.tryReadAll(IMAGE) ?? []
  const byFile = Map.groupBy(all, (one) => one.id_for)
  restored.set(restore, byFile)
  return byFile.get(id) ?? []
}

/** Headers that a program has asked for and that cannot be given to a datagram of ours. */
const UNKNOWN_HEADERS: ReadonlySet<string> = new Set([
  `${SOL.IP}:${IP.RECVOPTS}`,
  `${SOL.IP}:${IP.RETOPTS}`,
  `${SOL.IP}:${IP.RECVORIGDSTADDR}`,
  `${SOL.IP}:${IP.RECVFRAGSIZE}`,
  `${SOL.IPV6}:${IPV6.HOPOPTS}`,
  `${SOL.IPV6}:${IPV6.DSTOPTS}`,
  `${SOL.IPV6}:${IPV6.RTHDR}`,
  `${SOL.IPV6}:${IPV6['2292HOPOPTS']}`,
  `${SOL.IPV6}:${IPV6['2292DSTOPTS']}`,
  `${SOL.IPV6}:${IPV6['2292RTHDR']}`,
  `${SOL.IPV6}:${IPV6.RECVORIGDSTADDR}`,
  `${SOL.IPV6}:${IPV6.RECVFRAGSIZE}`,
])

function describe({ from, content, controls }: PeekedDatagram, id: number): Datagram[] | Refusal {
  if (controls.some(({ level, type }) => UNKNOWN_HEADERS.has(`${level}:${type}`)))
    return { what: 'with a datagram not yet read, of headers that it asks for', remedy }
  const { address, port, scope } = addressFromName(from)
  const source = unmapped(address)
  if (source.every((byte) => byte === 0))
    return { what: 'with a datagram not yet read, of a sender without address', remedy }
  const destination = destinationOf(controls) ?? defaultDestination(source, scope)
  if (!destination || !isOurAddress(destination))
    return { what: 'with a datagram to a group not yet read', remedy }
  const ttl =
    numberOf(controls, SOL.IP, IP.TTL) ?? numberOf(controls, SOL.IPV6, IPV6.HOPLIMIT) ?? 64
  const tos = numberOf(controls, SOL.IP, IP.TOS) ?? numberOf(controls, SOL.IPV6, IPV6.TCLASS) ?? 0
  const one = { id_for: id, source, source_port: port, destination, ttl, tos }
  return segmentsOf(content, controls).map((segment) => ({ ...one, content: segment }))
}

/** Where it went to, in in_pktinfo (behind the device and the local address) or in6_pktinfo. */
function destinationOf(controls: readonly Control[]): Uint8Array | undefined {
  const ipv4 = controlOf(controls, SOL.IP, IP.PKTINFO)
  const ipv6 =
    controlOf(controls, SOL.IPV6, IPV6.PKTINFO) ??
    controlOf(controls, SOL.IPV6, IPV6['2292PKTINFO'])
  return ipv4?.slice(8, 12) ?? (ipv6 && unmapped(ipv6.slice(0, 16)))
}

/** Of a link-local sender an address of the device that it came by, which is told with the sender's. */
const defaultDestination = (source: Uint8Array, scope: number): Uint8Array | undefined =>
  scope === 0 ? LOOPBACK[source.length as 4 | 16] : tryAddressOfDevice(scope)

/** Several datagrams received as one (UDP_GRO) are of that length each, but for the last. */
function segmentsOf(content: Uint8Array, controls: readonly Control[]): Uint8Array[] {
  const length = numberOf(controls, SOL.UDP, UDP.GRO) ?? content.length
  if (length <= 0 || length >= content.length) return [content]
  const count = Math.ceil(content.length / length)
  return Array.from({ length: count }, (_, i) => content.subarray(i * length, (i + 1) * length))
}

const controlOf = (all: readonly Control[], level: number, type: number): Uint8Array | undefined =>
  all.find((one) => one.level === level && one.type === type)?.value

/** An int, or a byte (IP_TOS). */
function numberOf(all: readonly Control[], level: number, type: number): number | undefined {
  const value = controlOf(all, level, type)
  if (!value) return undefined
  return value.length >= 4 ? Buffer.from(value).readInt32LE() : value[0]
}

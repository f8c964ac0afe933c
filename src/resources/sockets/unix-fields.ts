import type { Messages } from '../../images/gen/messages.ts'
import { type OwnValue, ownFieldsOf, withOwnFields } from '../../images/own-fields.ts'

type UnixEntry = Messages['unix_sk_entry']
type Packet = Messages['sk_packet_entry']

/** Who a peer is (struct ucred), with its supplementary groups (SO_PEERGROUPS). */
export interface Credentials {
  readonly pid: number
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
}

/** What upstream's unix_sk_entry has no field for. */
export interface UnixExtra {
  /** What SO_PEERCRED says; on a listener: what it will say to those that connect. */
  readonly peerCredentials?: Credentials
  /** What getpeername says of a peer that is closed; empty where it had no name. */
  readonly peerName?: Uint8Array
  /** Of a listener: inodes of those whose connection waits, oldest first; 0: closed meanwhile. */
  readonly waiting?: readonly number[]
  /** Beside `waiting`: what `id_for` is in the packets of each connection's queue; 0: it is empty. */
  readonly waitingQueues?: readonly number[]
  /** The name is that of a task with another root directory: this one, as we see it. Byte string. */
  readonly root?: string
  /** An error that is not told yet: the peer was closed with unread bytes (ECONNRESET). */
  readonly reset?: boolean
}

const UNIX = {
  pid: 15000,
  uid: 15001,
  gid: 15002,
  groups: 15003,
  peerName: 15004,
  waiting: 15005,
  root: 15006,
  reset: 15007,
  waitingQueues: 15008,
} as const

export function withUnixExtra(entry: UnixEntry, extra: UnixExtra): UnixEntry {
  const fields = new Map<number, OwnValue>()
  const { peerCredentials, peerName, waiting, waitingQueues, root, reset } = extra
  if (peerCredentials) putCredentials(fields, UNIX, peerCredentials)
  if (peerCredentials?.groups.length) fields.set(UNIX.groups, numbers(peerCredentials.groups))
  if (peerName) fields.set(UNIX.peerName, peerName)
  if (waiting?.length) fields.set(UNIX.waiting, numbers(waiting))
  if (waitingQueues?.length) fields.set(UNIX.waitingQueues, numbers(waitingQueues))
  if (root !== undefined) fields.set(UNIX.root, Buffer.from(root, 'latin1'))
  if (reset) fields.set(UNIX.reset, 1n)
  return withOwnFields(entry, fields)
}

export function unixExtraOf(entry: UnixEntry): UnixExtra {
  const fields = ownFieldsOf(entry)
  const bytes = (field: number): Uint8Array | undefined => {
    const value = fields.get(field)
    return typeof value === 'object' ? value : undefined
  }
  const credentials = credentialsIn(fields, UNIX)
  const peerName = bytes(UNIX.peerName)
  const root = bytes(UNIX.root)
  return {
    ...(credentials && {
      peerCredentials: { ...credentials, groups: toNumbers(bytes(UNIX.groups)) },
    }),
    ...(peerName && { peerName }),
    ...(root && { root: Buffer.from(root).toString('latin1') }),
    waiting: toNumbers(bytes(UNIX.waiting)),
    waitingQueues: toNumbers(bytes(UNIX.waitingQueues)),
    reset: fields.get(UNIX.reset) === 1n,
  }
}

/** What upstream's sk_packet_entry has no field for. */
export interface PacketExtra {
  /** Who sent it (SCM_CREDENTIALS), where the kernel has noted that. */
  readonly credentials?: Omit<Credentials, 'groups'>
  /** The sender's address behind `sun_family`. */
  readonly sender?: Uint8Array
  /** Its one byte is urgent (MSG_OOB); `taken`: it was read, and only its mark is left before it. */
  readonly urgent?: 'byte' | 'taken'
}

const PACKET = { pid: 15000, uid: 15001, gid: 15002, sender: 15003, urgent: 15004 } as const

export function withPacketExtra(packet: Packet, extra: PacketExtra): Packet {
  const fields = new Map<number, OwnValue>()
  if (extra.credentials) putCredentials(fields, PACKET, extra.credentials)
  if (extra.sender) fields.set(PACKET.sender, extra.sender)
  if (extra.urgent) fields.set(PACKET.urgent, extra.urgent === 'byte' ? 1n : 2n)
  return withOwnFields(packet, fields)
}

export function packetExtraOf(packet: Packet): PacketExtra {
  const fields = ownFieldsOf(packet)
  const credentials = credentialsIn(fields, PACKET)
  const sender = fields.get(PACKET.sender)
  const urgent = fields.get(PACKET.urgent)
  return {
    ...(credentials && { credentials }),
    ...(typeof sender === 'object' && { sender }),
    ...(urgent !== undefined && { urgent: urgent === 1n ? 'byte' : 'taken' }),
  }
}

interface CredentialFields {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

function putCredentials(
  fields: Map<number, OwnValue>,
  at: CredentialFields,
  { pid, uid, gid }: Omit<Credentials, 'groups'>,
): void {
  fields.set(at.pid, BigInt(pid)).set(at.uid, BigInt(uid)).set(at.gid, BigInt(gid))
}

function credentialsIn(
  fields: ReadonlyMap<number, OwnValue>,
  at: CredentialFields,
): Omit<Credentials, 'groups'> | undefined {
  const [pid, uid, gid] = [at.pid, at.uid, at.gid].map((field) => fields.get(field))
  if (pid === undefined || uid === undefined || gid === undefined) return undefined
  return { pid: Number(pid), uid: Number(uid), gid: Number(gid) }
}

/** Numbers of 32 bits, one behind the other. */
function numbers(values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, i * 4)
  return bytes
}

function toNumbers(bytes: Uint8Array = new Uint8Array()): number[] {
  const buffer = Buffer.from(bytes)
  return Array.from({ length: buffer.length >> 2 }, (_, i) => buffer.readUInt32LE(i * 4))
}

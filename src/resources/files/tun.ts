import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { type OwnValue, ownFieldsOf, withOwnFields } from '../../images/own-fields.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import { IFF, TUN } from '../../kernel/constants/tun.ts'
import { scratch } from '../../kernel/memory.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { majorOf, minorOf } from '../../kernel/proc/device.ts'
import { tryReadProcLink } from '../../kernel/proc/read.ts'
import { checked, sys } from '../../kernel/sys.ts'
import { fileId, type LocalFd } from '../../kernel/types.ts'
import type { FdKind, TaskAspect } from '../contract.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import type { RestoreContext } from '../restore-model.ts'
import { connectOwner } from './async.ts'
import { partOf, regOf } from './entry-part.ts'
import { tryFindPath } from './lookup.ts'
import { refuseFile } from './refuse.ts'
import { openReg, regEntryOf } from './reg-entry.ts'
import { hasPacketInfo, type LinkState, readLink, restoreLink } from './tun-link.ts'
import { giveBack, type QueuedPackets, takePackets } from './tun-queue.ts'

type TunEntry = Messages['tunfile_entry']

/** TUNF and REG of fd_types. */
const TYPE = 15
const REG = 1
/** /dev/net/tun (admin-guide/devices). */
const DEVICE = { major: 10, minor: 200 } as const

/**
 * Fields of ours: flags of the device, and what belongs to this descriptor; of a device that is not
 * persistent its index, owner and group (one more than the number, 0 for none), and all that it has.
 */
const FIELD = {
  flags: 15000,
  sndbuf: 15001,
  headerSize: 15002,
  littleEndian: 15003,
  index: 15004,
  owner: 15005,
  group: 15006,
  link: 15007,
} as const

/**
 * Descriptors of /dev/net/tun: not attached yet, or a queue of a TUN or TAP device. Persistent devices
 * are attached to again; the others go with their last descriptor, and are made again with addresses
 * and routes. Packets that wait in a queue are taken out of it as its tree ends, and sent again.
 */
export const tun: FdKind = {
  tag: 'TUN/TAP device',
  type: TYPE,
  recognise({ stat, flags }) {
    if (flags & O.PATH || fileType(stat.mode) !== 'char') return false
    const rdev = Number(stat.rdev)
    return majorOf(rdev) === DEVICE.major && minorOf(rdev) === DEVICE.minor
  },
  dump(probe, id, dump) {
    const path = tryFindPath(probe)
    const device = tryDeviceOf(probe.local)
    const refuse = (why: string): undefined => {
      const what = `TUN/TAP device ${device ? `${displayPath(device.name)} ` : ''}${why}`
      refuseFile(dump, probe, what, 'close it before the dump')
    }
    if (path === undefined) return refuse('whose path is gone')
    const refusal = device && whyRefused(probe)
    if (refusal) return refuse(refusal)
    const link = device && !(device.flags & IFF.PERSIST) ? readLink(device.name) : undefined
    if (link && 'refusal' in link) return refuse(link.refusal)
    // As upstream has it: the path is in an entry of the same id.
    dump.files.add({ type: REG, id, reg: regEntryOf(probe, id, path, dump) })
    if (!device) return { tunf: { id } }
    const isDetached = (device.flags & IFF.DETACH_QUEUE) !== 0
    const entry: TunEntry = {
      id,
      netdev: device.name,
      ...(isDetached && { detached: true }),
      ...(probe.task.ids.net_ns_id !== undefined && { ns_id: probe.task.ids.net_ns_id }),
    }
    remember(probe, id, device, dump)
    return { tunf: withOwnFields(entry, settingsOf(probe.local, device, link)) }
  },
  drain(dump) {
    const queues = (queued.get(dump) ?? []).flatMap(({ fd, queue }) => {
      const packets = takePackets(fd)
      return packets.length > 0 ? [{ ...queue, packets }] : []
    })
    if (queues.length === 0) return
    // Of a dump that fails, the tree goes on.
    dump.atEnd((succeeded) => {
      if (!succeeded) for (const queue of queues) giveBack(queue)
    })
    dump.images.write('criu-ts-tun', queues)
  },

  open(entry, restore) {
    const fd = openReg(regOf(entry), restore)
    const tunf = partOf(entry, 'tunf')
    if (tunf.netdev) attach(fd, tunf, restore)
    return fd
  },
  connect(entry, fd, restore) {
    const { flags, fown } = regOf(entry)
    connectOwner(fd, entry.id, flags, fown, restore)
    const queues = restore.images.tryReadAll('criu-ts-tun') ?? []
    for (const queue of queues) if (queue.id === entry.id) giveBack(queue)
  },
}

interface KnownQueue {
  readonly fd: LocalFd
  readonly queue: Omit<QueuedPackets, 'packets'>
}

/** Queues of a dump that ends its tree. */
const queued = new WeakMap<DumpContext, KnownQueue[]>()

function remember({ local }: FdProbe, id: number, device: Device, dump: DumpContext): void {
  if (dump.options.finalState !== 'killed' || device.flags & IFF.DETACH_QUEUE) return
  const queue = {
    id,
    device: device.name,
    flags: device.flags,
    header_size: getNumber(local, TUN.GETVNETHDRSZ),
  }
  queued.set(dump, [...(queued.get(dump) ?? []), { fd: local, queue }])
}

/** Devices come before all other files: sockets may be bound to their addresses. */
export const tunDevices: TaskAspect = {
  name: 'TUN/TAP devices',
  prepare({ model, files }) {
    for (const { type, id } of model.files.values())
      if (type === TYPE) files.description(fileId(id))
  },
}

interface Device {
  readonly name: string
  readonly flags: number
}

/** struct ifreq: a name of 16 bytes, then here 16 bits of flags. */
const IFREQ = { SIZE: 40, NAME: 16 } as const

/** What it is attached to; undefined: nothing. */
function tryDeviceOf(fd: LocalFd): Device | undefined {
  using s = scratch()
  const memory = s.take(IFREQ.SIZE)
  if (sys('ioctl', fd, TUN.GETIFF, memory.address) < 0) return undefined
  const text = Buffer.from(memory.bytes.subarray(0, IFREQ.NAME)).toString('latin1')
  const name = text.replace(/\0.*$/s, '')
  const flags = memory.view.getUint16(IFREQ.NAME, true) & ~IFF.NO_PI
  return { name, flags: hasPacketInfo(name) ? flags : flags | IFF.NO_PI }
}

function whyRefused({ task, local }: FdProbe): string | undefined {
  if (tryReadProcLink(`${task.proc}/ns/net`) !== tryReadProcLink('/proc/self/ns/net'))
    return 'of another network namespace'
  return hasFilter(local) ? 'with a filter for packets (TUNATTACHFILTER)' : undefined
}

/** struct sock_fprog: the number of instructions comes first. Only TAP devices have one. */
function hasFilter(fd: LocalFd): boolean {
  using s = scratch()
  const memory = s.take(16)
  if (sys('ioctl', fd, TUN.GETFILTER, memory.address) < 0) return false
  return memory.view.getUint16(0, true) !== 0
}

function settingsOf(
  fd: LocalFd,
  { flags }: Device,
  link: LinkState | undefined,
): Map<number, OwnValue> {
  const settings = new Map<number, OwnValue>([
    [FIELD.flags, BigInt(flags)],
    [FIELD.sndbuf, BigInt(getNumber(fd, TUN.GETSNDBUF))],
    [FIELD.headerSize, BigInt(getNumber(fd, TUN.GETVNETHDRSZ))],
    [FIELD.littleEndian, BigInt(getNumber(fd, TUN.GETVNETLE))],
  ])
  if (!link) return settings
  return settings
    .set(FIELD.index, BigInt(link.index))
    .set(FIELD.owner, BigInt(link.owner + 1))
    .set(FIELD.group, BigInt(link.group + 1))
    .set(FIELD.link, link.messages)
}

/** Flags that are told of a device, but not asked for. */
const TOLD = IFF.PERSIST | IFF.ATTACH_QUEUE | IFF.DETACH_QUEUE

/** Names of the devices that this restore has made. */
const made = new WeakMap<RestoreContext, Set<string>>()

function attach(fd: LocalFd, entry: TunEntry, restore: RestoreContext): void {
  const own = ownFieldsOf(entry)
  const numberOf = (field: number): number | undefined => {
    const value = own.get(field)
    return typeof value === 'bigint' ? Number(value) : undefined
  }
  const name = entry.netdev!
  const told = numberOf(FIELD.flags)
  if (told === undefined) failForeign(name)
  const flags = told & ~TOLD
  const [index, link, devices] = [
    numberOf(FIELD.index),
    own.get(FIELD.link),
    made.get(restore) ?? new Set<string>(),
  ]
  made.set(restore, devices)
  if (index !== undefined && link instanceof Uint8Array && !devices.has(name)) {
    devices.add(name)
    setNumber(fd, TUN.SETIFINDEX, index)
    request(fd, TUN.SETIFF, name, flags | IFF.TUN_EXCL)
    setId(fd, TUN.SETOWNER, numberOf(FIELD.owner))
    setId(fd, TUN.SETGROUP, numberOf(FIELD.group))
    restoreLink(name, index, link)
  } else request(fd, TUN.SETIFF, name, flags)
  setNumber(fd, TUN.SETSNDBUF, numberOf(FIELD.sndbuf))
  setNumber(fd, TUN.SETVNETHDRSZ, numberOf(FIELD.headerSize))
  setNumber(fd, TUN.SETVNETLE, numberOf(FIELD.littleEndian))
  if (entry.detached) request(fd, TUN.SETQUEUE, name, IFF.DETACH_QUEUE)
}

/** One more than the number, and 0 for none. Passed as the argument itself. */
function setId(fd: LocalFd, operation: number, value = 0): void {
  if (value === 0) return
  checked(sys('ioctl', fd, operation, value - 1), 'TUNSETOWNER', { kind: 'TUN/TAP device' })
}

/** Images of upstream have the device among those of its network namespace. */
function failForeign(name: string): never {
  return fail({
    code: 'image',
    file: 'files.img',
    reason: `TUN/TAP device ${displayPath(name)} of a network namespace, which cannot be restored yet`,
  })
}

function request(fd: LocalFd, operation: number, name: string, flags: number): void {
  using s = scratch()
  const memory = s.take(IFREQ.SIZE)
  memory.bytes.set(Buffer.from(name, 'latin1').subarray(0, IFREQ.NAME - 1))
  memory.view.setUint16(IFREQ.NAME, flags, true)
  const kind = `TUN/TAP device ${displayPath(name)}`
  const remedy = 'a persistent device must be there as it was at the dump, any other gone'
  checked(sys('ioctl', fd, operation, memory.address), 'TUNSETIFF', { kind, remedy })
}

function getNumber(fd: LocalFd, operation: number): number {
  using s = scratch()
  const memory = s.take(4)
  checked(sys('ioctl', fd, operation, memory.address), 'TUNGET…', { kind: 'TUN/TAP device' })
  return memory.view.getInt32(0, true)
}

function setNumber(fd: LocalFd, operation: number, value: number | undefined): void {
  if (value === undefined) return
  using s = scratch()
  const memory = s.take(4)
  memory.view.setInt32(0, value, true)
  checked(sys('ioctl', fd, operation, memory.address), 'TUNSET…', { kind: 'TUN/TAP device' })
}

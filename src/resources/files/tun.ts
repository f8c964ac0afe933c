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
import type { LocalFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { FdProbe } from '../dump-model.ts'
import { connectOwner } from './async.ts'
import { partOf, regOf } from './entry-part.ts'
import { tryFindPath } from './lookup.ts'
import { refuseFile } from './refuse.ts'
import { openReg, regEntryOf } from './reg-entry.ts'

type TunEntry = Messages['tunfile_entry']

/** TUNF and REG of fd_types. */
const TYPE = 15
const REG = 1
/** /dev/net/tun (admin-guide/devices). */
const DEVICE = { major: 10, minor: 200 } as const

/** Fields of ours: flags of the device, and what belongs to this descriptor. */
const FIELD = { flags: 15000, sndbuf: 15001, headerSize: 15002, littleEndian: 15003 } as const

/**
 * Descriptors of /dev/net/tun: not attached yet, or a queue of a TUN or TAP device. Persistent devices
 * are attached to again; the others are gone with the last descriptor, and with them addresses and
 * routes, so these are refused.
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
    const refusal = path === undefined ? 'whose path is gone' : device && whyRefused(probe, device)
    if (path === undefined || refusal) {
      const what = `TUN/TAP device ${device ? displayPath(device.name) : ''} ${refusal}`
      refuseFile(dump, probe, what.replace(/ {2,}/g, ' '), 'close it before the dump')
      return undefined
    }
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
    return { tunf: withOwnFields(entry, settingsOf(probe.local, device)) }
  },

  open(entry, restore) {
    const fd = openReg(regOf(entry), restore)
    const tunf = partOf(entry, 'tunf')
    if (tunf.netdev) attach(fd, tunf)
    return fd
  },
  connect(entry, fd, restore) {
    const { flags, fown } = regOf(entry)
    connectOwner(fd, entry.id, flags, fown, restore)
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
  const name = Buffer.from(memory.bytes.subarray(0, IFREQ.NAME)).toString('latin1')
  return { name: name.replace(/\0.*$/s, ''), flags: memory.view.getUint16(IFREQ.NAME, true) }
}

function whyRefused({ task, local }: FdProbe, { flags }: Device): string | undefined {
  if (tryReadProcLink(`${task.proc}/ns/net`) !== tryReadProcLink('/proc/self/ns/net'))
    return 'of another network namespace'
  if (!(flags & IFF.PERSIST))
    return 'that is not persistent: it would be gone, with its addresses and routes'
  return hasFilter(local) ? 'with a filter for packets (TUNATTACHFILTER)' : undefined
}

/** struct sock_fprog: the number of instructions comes first. Only TAP devices have one. */
function hasFilter(fd: LocalFd): boolean {
  using s = scratch()
  const memory = s.take(16)
  if (sys('ioctl', fd, TUN.GETFILTER, memory.address) < 0) return false
  return memory.view.getUint16(0, true) !== 0
}

function settingsOf(fd: LocalFd, { flags }: Device): Map<number, OwnValue> {
  return new Map([
    [FIELD.flags, BigInt(flags)],
    [FIELD.sndbuf, BigInt(getNumber(fd, TUN.GETSNDBUF))],
    [FIELD.headerSize, BigInt(getNumber(fd, TUN.GETVNETHDRSZ))],
    [FIELD.littleEndian, BigInt(getNumber(fd, TUN.GETVNETLE))],
  ])
}

/** Flags that are told of a device, but not asked for. */
const TOLD = IFF.PERSIST | IFF.ATTACH_QUEUE | IFF.DETACH_QUEUE

function attach(fd: LocalFd, entry: TunEntry): void {
  const own = ownFieldsOf(entry)
  const numberOf = (field: number): number | undefined => {
    const value = own.get(field)
    return typeof value === 'bigint' ? Number(value) : undefined
  }
  const name = entry.netdev!
  const flags = numberOf(FIELD.flags)
  if (flags === undefined) failForeign(name)
  request(fd, TUN.SETIFF, name, flags & ~TOLD)
  setNumber(fd, TUN.SETSNDBUF, numberOf(FIELD.sndbuf))
  setNumber(fd, TUN.SETVNETHDRSZ, numberOf(FIELD.headerSize))
  setNumber(fd, TUN.SETVNETLE, numberOf(FIELD.littleEndian))
  if (entry.detached) request(fd, TUN.SETQUEUE, name, IFF.DETACH_QUEUE)
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
  const remedy = 'the device must be there as it was at the dump'
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

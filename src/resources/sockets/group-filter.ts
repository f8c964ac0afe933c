import { SOL } from '../../kernel/constants/socket.ts'
import { MCAST } from '../../kernel/constants/udp.ts'
import { scratch } from '../../kernel/memory.ts'
import { sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { addressFromName, nameOfAddress } from './inet-address.ts'

/**
 * struct group_filter and group_req (linux/in.h): a device, and addresses as sockaddr_storage of 128
 * bytes, aligned to 8.
 */
const AT = { group: 8, mode: 136, count: 140, sources: 144 } as const
const STORAGE = 128
/** Sources that are asked for at first. */
const SOME = 16

export interface Sources {
  readonly mode: number
  readonly sources: Uint8Array[]
}

const storage = (address: Uint8Array): Uint8Array => nameOfAddress({ address, port: 0, scope: 0 })

export const groupFilter = {
  /** group_req: a device and a group. */
  request(index: number, group: Uint8Array): Uint8Array {
    const value = Buffer.alloc(AT.mode)
    value.writeUInt32LE(index, 0)
    value.set(storage(group), AT.group)
    return value
  },

  encode(
    index: number,
    group: Uint8Array,
    mode: number,
    sources: readonly Uint8Array[],
    room = sources.length,
  ): Uint8Array {
    const value = Buffer.alloc(AT.sources + room * STORAGE)
    value.set(groupFilter.request(index, group))
    value.writeUInt32LE(mode, AT.mode)
    value.writeUInt32LE(room, AT.count)
    for (const [i, source] of sources.entries())
      value.set(storage(source), AT.sources + i * STORAGE)
    return value
  },
}

/** With which sources a socket has joined a group on a device; undefined where it has not. */
export function tryGetSources(
  fd: LocalFd,
  index: number,
  group: Uint8Array,
  room: number = SOME,
): Sources | undefined {
  using s = scratch()
  const value = s.put(groupFilter.encode(index, group, 0, [], room))
  const length = s.take(4)
  length.view.setUint32(0, value.bytes.length, true)
  const level = group.length === 4 ? SOL.IP : SOL.IPV6
  const result = sys('getsockopt', fd, level, MCAST.MSFILTER, value.address, length.address)
  if (result < 0) return undefined
  const count = value.view.getUint32(AT.count, true)
  if (count > room) return tryGetSources(fd, index, group, count)
  const sources = Array.from({ length: count }, (_, i) => {
    const at = AT.sources + i * STORAGE
    return addressFromName(value.bytes.slice(at, at + STORAGE)).address
  })
  return { mode: value.view.getUint32(AT.mode, true), sources }
}

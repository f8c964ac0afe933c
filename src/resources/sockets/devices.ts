import { SIOC } from '../../kernel/constants/ioctl.ts'
import { AF, SOCK } from '../../kernel/constants/socket.ts'
import { scratch } from '../../kernel/memory.ts'
import { must, owned, sys } from '../../kernel/sys.ts'

/** struct ifreq (man 7 netdevice): a name, then what is asked for or given. */
const IFREQ = { size: 40, name: 16 } as const

type Answer = { readonly index: number; readonly address: Uint8Array }

/** Index of a network device of ours by its name; undefined where there is none. */
export const tryDeviceIndex = (name: string): number | undefined => ask(SIOC.GIFINDEX, name)?.index

/** Its name by the index; undefined where there is none. */
export function tryDeviceName(index: number): string | undefined {
  using s = scratch()
  using socket = owned(must('socket', AF.INET, SOCK.DGRAM | SOCK.CLOEXEC, 0))
  const memory = s.take(IFREQ.size)
  memory.view.setInt32(IFREQ.name, index, true)
  if (sys('ioctl', socket.fd, SIOC.GIFNAME, memory.address) < 0) return undefined
  return Buffer.from(memory.bytes.subarray(0, IFREQ.name)).toString('latin1').replace(/\0.*/s, '')
}

/** Its first address of IPv4; undefined where it has none. */
export const tryDeviceAddress = (name: string): Uint8Array | undefined =>
  ask(SIOC.GIFADDR, name)?.address

function ask(request: number, name: string): Answer | undefined {
  using s = scratch()
  using socket = owned(must('socket', AF.INET, SOCK.DGRAM | SOCK.CLOEXEC, 0))
  const memory = s.take(IFREQ.size)
  memory.bytes.set(Buffer.from(name, 'latin1').subarray(0, IFREQ.name - 1))
  if (sys('ioctl', socket.fd, request, memory.address) < 0) return undefined
  return {
    index: memory.view.getInt32(IFREQ.name, true),
    // struct sockaddr_in: the address stands 4 bytes behind its start.
    address: memory.bytes.slice(IFREQ.name + 4, IFREQ.name + 8),
  }
}

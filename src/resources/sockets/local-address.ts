import { AF, SOCK } from '../../kernel/constants/socket.ts'
import { tryReadProcFile } from '../../kernel/proc/read.ts'
import { must, owned } from '../../kernel/sys.ts'
import { addressFromName, nameOfAddress } from './inet-address.ts'
import { localName, tryCallWith } from './names.ts'

/** Loopback addresses by their length. */
export const LOOPBACK = {
  4: Uint8Array.of(127, 0, 0, 1),
  16: Uint8Array.of(...new Uint8Array(15), 1),
} as const

const MAPPED = Buffer.from('00000000000000000000ffff', 'hex')

/** The address of IPv4 that stands in one of IPv6 (::ffff:0:0/96); others as they are. */
export const unmapped = (address: Uint8Array): Uint8Array =>
  address.length === 16 && MAPPED.equals(address.subarray(0, 12)) ? address.slice(12) : address

/**
 * Does what goes to there stay on this machine: a socket that is connected to one of our addresses has
 * that one itself. Nothing is sent.
 */
export function isOurAddress(address: Uint8Array): boolean {
  const family = address.length === 16 ? AF.INET6 : AF.INET
  using socket = owned(must('socket', family, SOCK.DGRAM | SOCK.CLOEXEC, 0))
  const scope = deviceOfAddress(address) ?? 0
  if (tryCallWith('connect', socket.fd, nameOfAddress({ address, port: 9, scope })) < 0)
    return false
  return Buffer.compare(addressFromName(localName(socket.fd)).address, address) === 0
}

/** /proc/net/if_inet6: address, index, prefix, scope, flags (numbers in hexadecimal), device. */
const lines = (): string[][] =>
  (tryReadProcFile('/proc/thread-self/net/if_inet6') ?? '')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))

/** Some address of IPv6 of a network device that can be reached already. */
export function tryAddressOfDevice(index: number): Uint8Array | undefined {
  const found = lines().filter(([, number]) => parseInt(number ?? '', 16) === index)
  return found.map(([address]) => Buffer.from(address!, 'hex')).find(isOurAddress)
}

/** The device that has an address of IPv6. */
export function deviceOfAddress(address: Uint8Array): number | undefined {
  if (address.length !== 16) return undefined
  const text = Buffer.from(address).toString('hex')
  const found = lines().find(([first]) => first === text)
  return found && parseInt(found[1]!, 16)
}

import { AF } from '../../kernel/constants/socket.ts'

/** What a socket of AF_INET or AF_INET6 is bound or connected to (man 7 ip, ipv6). */
export interface InetAddress {
  /** 4 or 16 bytes, in network order. */
  readonly address: Uint8Array
  readonly port: number
  /** Index of the device that a link-local address of IPv6 belongs to; else 0. */
  readonly scope: number
}

/** Offsets in struct sockaddr_in (16 bytes) and sockaddr_in6 (28 bytes). */
const IPV4 = { size: 16, address: 4, length: 4 } as const
const IPV6 = { size: 28, address: 8, length: 16, scope: 24 } as const
const PORT = 2

/** From a struct sockaddr as getsockname and getpeername give it. */
export function addressFromName(name: Uint8Array): InetAddress {
  const bytes = Buffer.from(name)
  const { address, length } = bytes.readUInt16LE(0) === AF.INET6 ? IPV6 : IPV4
  return {
    address: bytes.subarray(address, address + length),
    port: bytes.readUInt16BE(PORT),
    scope: length === IPV6.length ? bytes.readUInt32LE(IPV6.scope) : 0,
  }
}

/** As bind and connect take it. */
export function nameOfAddress({ address, port, scope }: InetAddress): Uint8Array {
  const isIpv6 = address.length === IPV6.length
  const name = Buffer.alloc(isIpv6 ? IPV6.size : IPV4.size)
  name.writeUInt16LE(isIpv6 ? AF.INET6 : AF.INET, 0)
  name.writeUInt16BE(port, PORT)
  name.set(address, isIpv6 ? IPV6.address : IPV4.address)
  if (isIpv6) name.writeUInt32LE(scope, IPV6.scope)
  return name
}

/** As images have an address: words of four bytes in network order, read as numbers of this machine. */
export function wordsOf(address: Uint8Array): number[] {
  const bytes = Buffer.from(address)
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i))
}

/** An address of `family` from the words of an image; of missing ones, zeroes. */
export function bytesOfWords(words: readonly number[], family: number): Uint8Array {
  const bytes = Buffer.alloc(family === AF.INET6 ? IPV6.length : IPV4.length)
  for (let i = 0; i < bytes.length / 4; i++) bytes.writeUInt32LE(words[i] ?? 0, 4 * i)
  return bytes
}

export const isAnyAddress = ({ address }: InetAddress): boolean =>
  address.every((byte) => byte === 0)

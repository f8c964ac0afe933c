import { fail } from '../../errors/error.ts'
import { IP, IPPROTO } from '../../kernel/constants/ip.ts'
import { AF, SO, SOCK, SOL, TCP_STATE } from '../../kernel/constants/socket.ts'
import { Errno } from '../../kernel/errno.ts'
import { readProcFile } from '../../kernel/proc/read.ts'
import { intBytes, tryGetOption, trySetOption } from '../../kernel/socket-option.ts'
import { checked } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import {
  addressFromName,
  bytesOfWords,
  type InetAddress,
  isAnyAddress,
  nameOfAddress,
} from './inet-address.ts'
import type { InetEntry } from './inet-protocol.ts'
import { localName, tryCallWith } from './names.ts'
import { bindSocket } from './options.ts'

/** A struct sockaddr of AF_UNSPEC: connect with it undoes connect (man 2 connect). */
const UNSPECIFIED = new Uint8Array(16)

export const isConnected = ({ state }: InetEntry): boolean => state === TCP_STATE.ESTABLISHED

export const sourceOf = ({ family, src_addr, src_port }: InetEntry): InetAddress => ({
  address: bytesOfWords(src_addr, family),
  port: src_port,
  scope: 0,
})

const destinationOf = ({ family, dst_addr, dst_port }: InetEntry): InetAddress => ({
  address: bytesOfWords(dst_addr, family),
  port: dst_port,
  scope: 0,
})

/**
 * Binds and connects a socket of datagrams as it was. The kernel notes whether a program chose its
 * address and port, or got them from connect and sendto, and forgets the latter when it disconnects;
 * it does not tell. So what connect would choose by itself, and a port of the range that it chooses
 * from, count as chosen by the kernel. A raw socket is of no use once it was disconnected.
 */
export function restoreNames(fd: LocalFd, entry: InetEntry): void {
  const source = sourceOf(entry)
  const to = isConnected(entry) ? nameOfAddress(destinationOf(entry)) : undefined
  const isRouted =
    to !== undefined && entry.type !== SOCK.RAW && isSame(source, sourceTowards(fd, to, entry))
  const wanted = isRouted ? { ...source, address: new Uint8Array(source.address.length) } : source
  if (source.port !== 0 || !isAnyAddress(source)) {
    if (!bindInRange(fd, wanted, entry)) bindTo(fd, wanted, entry)
  }
  if (to) connectTo(fd, to, entry)
}

/** Disconnecting lets go of the device as well (SO_BINDTODEVICE); it stays bound to it here. */
export function disconnect(fd: LocalFd): void {
  const device = tryGetOption(fd, SOL.SOCKET, SO.BINDTOIFINDEX, 4)
  checked(tryCallWith('connect', fd, UNSPECIFIED), 'disconnect')
  if (device)
    checked(trySetOption(fd, SOL.SOCKET, SO.BINDTOIFINDEX, device), 'setsockopt SO_BINDTOIFINDEX')
}

/** The address that packets to there leave with; the socket is not bound yet, nor is it after. */
function sourceTowards(fd: LocalFd, to: Uint8Array, entry: InetEntry): InetAddress {
  connectTo(fd, to, entry)
  const source = addressFromName(localName(fd))
  disconnect(fd)
  return source
}

const isSame = (one: InetAddress, other: InetAddress): boolean =>
  Buffer.compare(one.address, other.address) === 0

function connectTo(fd: LocalFd, to: Uint8Array, entry: InetEntry): void {
  const result = tryCallWith('connect', fd, to)
  const shown = showAddress(destinationOf(entry))
  if (result === -Errno.ENETUNREACH || result === -Errno.EHOSTUNREACH)
    fail({ code: 'conflict', reason: `a socket is connected to ${shown}, to which no route leads` })
  checked(result, `connect to ${shown}`)
}

function bindTo(fd: LocalFd, address: InetAddress, entry: InetEntry): void {
  const result = bindSocket(fd, nameOfAddress(address), entry.opts)
  const shown = showAddress(address)
  if (result === -Errno.EADDRNOTAVAIL)
    fail({
      code: 'conflict',
      reason: `a socket is bound to ${shown}, which is no address of this machine`,
    })
  if (result === -Errno.EADDRINUSE)
    fail({ code: 'conflict', reason: `a socket is bound to ${shown}, which is in use` })
  checked(result, `bind to ${shown}`)
}

/**
 * Has the kernel choose the port, out of that one (IP_LOCAL_PORT_RANGE, since Linux 6.3). False where
 * it is no port to choose from, or in use; the socket is then not bound.
 */
function bindInRange(fd: LocalFd, address: InetAddress, entry: InetEntry): boolean {
  const { port } = address
  if (entry.proto !== IPPROTO.UDP && entry.proto !== IPPROTO.UDPLITE) return false
  const [low, high] = portRange()
  if (port < low || port > high) return false
  const before = tryGetOption(fd, SOL.IP, IP.LOCAL_PORT_RANGE, 4)
  if (!before || trySetOption(fd, SOL.IP, IP.LOCAL_PORT_RANGE, intBytes(port | (port << 16))) < 0)
    return false
  const result = bindSocket(fd, nameOfAddress({ ...address, port: 0 }), entry.opts)
  checked(trySetOption(fd, SOL.IP, IP.LOCAL_PORT_RANGE, before), 'setsockopt IP_LOCAL_PORT_RANGE')
  return result === 0
}

function portRange(): [low: number, high: number] {
  const words = readProcFile('/proc/sys/net/ipv4/ip_local_port_range').trim().split(/\s+/)
  return [Number(words[0]), Number(words[1])]
}

/** `127.0.0.1:53`, `[fe80:0:…]:53`. */
export function showAddress({ address, port }: InetAddress): string {
  if (address.length === 4) return `${[...address].join('.')}:${port}`
  const bytes = Buffer.from(address)
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16))
  return `[${groups.join(':')}]:${port}`
}

export const isIpv6 = ({ family }: InetEntry): boolean => family === AF.INET6

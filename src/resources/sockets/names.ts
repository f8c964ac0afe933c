import { scratch } from '../../kernel/memory.ts'
import { checked, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'

/** sizeof(struct sockaddr_storage). */
const STORAGE = 128

/** The address that a socket is bound to, as a struct sockaddr of its family (man 2 getsockname). */
export const localName = (fd: LocalFd): Uint8Array =>
  tryName('getsockname', fd) ?? new Uint8Array(STORAGE)

/** The address that it is connected to; undefined where it is not, or the kernel does not tell. */
export const tryPeerName = (fd: LocalFd): Uint8Array | undefined => tryName('getpeername', fd)

function tryName(call: 'getsockname' | 'getpeername', fd: LocalFd): Uint8Array | undefined {
  using s = scratch()
  const name = s.take(STORAGE)
  const length = s.take(4)
  length.view.setUint32(0, STORAGE, true)
  const result = sys(call, fd, name.address, length.address)
  return result < 0 ? undefined : name.bytes.slice()
}

/** bind(2) or connect(2) to a struct sockaddr: 0, or −errno. */
export function tryCallWith(call: 'bind' | 'connect', fd: LocalFd, name: Uint8Array): number {
  using s = scratch()
  return sys(call, fd, s.put(name).address, name.length)
}

/** As {@link tryCallWith}, which must succeed. */
export function callWith(call: 'bind' | 'connect', fd: LocalFd, name: Uint8Array): void {
  checked(tryCallWith(call, fd, name), call, { kind: 'socket' })
}

import { NETLINK, SOCK_DIAG } from '../constants/netlink.ts'
import type { NetNamespace } from './namespace.ts'
import { type NetlinkMessage, NetlinkSocket } from './socket.ts'

/** States of any number: what a request's bit mask of states has for all of them. */
export const ALL_STATES = 0xffffffff

/**
 * All sockets of a family that a network namespace has, in one dump (sock_diag(7)). `request` is the
 * family's own struct (`unix_diag_req`, `inet_diag_req_v2` …). A family that the kernel was built
 * without gives none.
 */
export function dumpSockets(
  request: Uint8Array,
  operation: string,
  namespace?: NetNamespace,
): readonly NetlinkMessage[] {
  using socket = new NetlinkSocket(NETLINK.SOCK_DIAG, namespace)
  return socket.dump(SOCK_DIAG.BY_FAMILY, request, operation)
}

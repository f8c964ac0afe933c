import { fail } from '../../errors/error.ts'
import { IPPROTO } from '../../kernel/constants/ip.ts'
import { SO, SOCK, SOL, TCP_STATE } from '../../kernel/constants/socket.ts'
import { TCP_REPAIR } from '../../kernel/constants/tcp.ts'
import { Errno } from '../../kernel/errno.ts'
import { setInt } from '../../kernel/socket-option.ts'
import { checked, must, owned } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import { tryDeviceIndex } from './devices.ts'
import { bytesOfWords, type InetAddress, nameOfAddress } from './inet-address.ts'
import { listInetSockets } from './inet-diag.ts'
import type { InetEntry } from './inet-protocol.ts'
import { tryCallWith } from './names.ts'
import { bindSocket } from './options.ts'
import { setTcp } from './tcp-repair.ts'

export const sourceOf = ({ family, src_addr, src_port, ifname }: InetEntry): InetAddress => ({
  address: bytesOfWords(src_addr, family),
  port: src_port,
  scope: (ifname && tryDeviceIndex(ifname)) || 0,
})

/** Under repair no other socket of the port stands in the way: the old connection had it too. */
export function bindUnderRepair(fd: LocalFd, entry: InetEntry): void {
  setTcp(fd, 'REPAIR', TCP_REPAIR.ON)
  tellBind(tryCallWith('bind', fd, nameOfAddress(sourceOf(entry))), entry)
}

/** Binds where the socket was, and has it listen if it did. */
export function bindAndListen(fd: LocalFd, entry: InetEntry): void {
  const result = bindSocket(fd, nameOfAddress(sourceOf(entry)), entry.opts)
  const isListening = entry.state === TCP_STATE.LISTEN
  if (result === -Errno.EADDRINUSE && hasRemainsOnly(entry)) {
    bindAmongRemains(fd, entry, isListening)
    return
  }
  tellBind(result, entry)
  // While SO_REUSEADDR is on: connections that were accepted here have this port too.
  if (isListening) must('listen', fd, entry.backlog)
}

/** Bound, and neither listening nor connected (since Linux 6.8). */
const BOUND_INACTIVE = 13

/** Does nothing have the port but connections, and what is left of such (TIME-WAIT)? */
function hasRemainsOnly({ family, src_port }: InetEntry): boolean {
  const all = [...listInetSockets(family, IPPROTO.TCP).values()]
  const owners: readonly number[] = [TCP_STATE.LISTEN, BOUND_INACTIVE]
  return !all.some(({ sourcePort, state }) => sourcePort === src_port && owners.includes(state))
}

/**
 * A program that does not set SO_REUSEADDR binds once and then has connections; these stay on the port
 * in TIME-WAIT for a minute, and nobody can bind it meanwhile. Under repair one can; and listen, which
 * looks once more, is content with a socket that may share the port (SO_REUSEPORT) if the last one that
 * was bound there was the same. So that nobody else can share it then, another one has to be the last.
 */
function bindAmongRemains(fd: LocalFd, entry: InetEntry, isListening: boolean): void {
  const share = (value: number) => setInt(fd, SOL.SOCKET, SO.REUSEPORT, value, 'SO_REUSEPORT')
  share(1)
  bindUnderRepair(fd, entry)
  setTcp(fd, 'REPAIR', TCP_REPAIR.OFF_NO_WP)
  if (isListening) must('listen', fd, entry.backlog)
  share(Number(entry.opts.so_reuseport ?? false))
  using last = owned(must('socket', entry.family, SOCK.STREAM | SOCK.CLOEXEC, 0))
  bindUnderRepair(localFd(last.fd), entry)
}

function tellBind(result: number, { src_port }: InetEntry): void {
  if (result === -Errno.EADDRINUSE)
    fail({ code: 'conflict', reason: `port ${src_port} of TCP is in use`, remedy: 'free it first' })
  if (result === -Errno.EADDRNOTAVAIL)
    fail({
      code: 'conflict',
      reason: `the address of a socket with port ${src_port} is none of this machine`,
      remedy: 'give the address to a device of this machine first',
    })
  checked(result, `bind a socket to port ${src_port}`)
}

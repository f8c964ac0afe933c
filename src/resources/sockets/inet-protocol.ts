import type { Messages } from '../../images/gen/messages.ts'
import type { RestoreOptions } from '../../job/options.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import type { RestoreContext } from '../restore-model.ts'
import type { Refusal } from './refusal.ts'

export type InetEntry = Messages['inet_sk_entry']

/**
 * A protocol of AF_INET and AF_INET6: what its sockets have beyond names and options. `inet.ts` is
 * their kind, since all of them have one type of entry.
 */
export interface InetProtocol {
  /** Are sockets of this type and protocol its own. */
  has(type: number, protocol: number): boolean
  /**
   * The entry with what the protocol adds, or why it is refused. `entry` has everything of names and
   * options; its state is CLOSE, and the destination that of getpeername.
   */
  dump(probe: FdProbe, entry: InetEntry, dump: DumpContext): InetEntry | Refusal
  /** As FdKind.finishDump. */
  finishDump?(dump: DumpContext): void
  /** As FdKind.drain. */
  drain?(dump: DumpContext): void

  /** As FdKind.obstacle. */
  obstacle?(entry: InetEntry, options: RestoreOptions): Refusal | undefined
  /** Binds and connects a new socket that has the options of IP and SOL_SOCKET. */
  open(fd: LocalFd, entry: InetEntry, restore: RestoreContext): void
  /** As FdKind.connect: every socket is open; the options of reuse are the socket's own from here on. */
  connect?(fd: LocalFd, entry: InetEntry, restore: RestoreContext): void
}

export const isRefusal = (result: InetEntry | Refusal): result is Refusal => 'remedy' in result

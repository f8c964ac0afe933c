import { IPPROTO } from '../../kernel/constants/ip.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { InetBook } from './inet-diag.ts'
import type { InetEntry } from './inet-protocol.ts'

/** A connection of the tree whose queues are to be saved. */
export interface TcpConnection {
  readonly probe: FdProbe
  /** As it stands in files.img; its state becomes that of the moment when the queues are read. */
  readonly entry: InetEntry
}

export const tcpBook = new InetBook(IPPROTO.TCP)

const connections = new WeakMap<DumpContext, TcpConnection[]>()

/** Connections of a dump, in the order in which they were met. */
export function connectionsOf(dump: DumpContext): TcpConnection[] {
  const found = connections.get(dump) ?? []
  connections.set(dump, found)
  return found
}

import { IPPROTO } from '../../kernel/constants/ip.ts'
import { TCP_STATE } from '../../kernel/constants/socket.ts'
import { TCP } from '../../kernel/constants/tcp.ts'
import { tryGetInt, tryGetOption } from '../../kernel/socket-option.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import type { InetDiag } from './inet-diag.ts'
import type { InetEntry } from './inet-protocol.ts'
import type { Refusal } from './refusal.ts'
import { connectionsOf, tcpBook } from './tcp-connections.ts'
import { dumpTcpOptions, withKeepAlive } from './tcp-options.ts'
import { hasReceivedFin, isConnected, readConditions, readTcpInfo } from './tcp-state.ts'

/** An entry with what TCP adds, or why it is refused. Nothing is changed by looking. */
export function dumpTcp(probe: FdProbe, bare: InetEntry, dump: DumpContext): InetEntry | Refusal {
  const { local } = probe
  const info = readTcpInfo(local)
  const { tcpi_state: state, tcpi_sacked: backlog, tcpi_unacked: waiting } = info
  // Packets of a new socket; of a listening one both are 0. A restored one begins to count anew.
  const wasConnected = isConnected(state) || info.tcpi_segs_in + info.tcpi_segs_out > 0
  const diag = state === TCP_STATE.CLOSE ? undefined : tcpBook.of(probe, bare.family, dump)
  const entry: InetEntry = {
    ...bare,
    state,
    opts: withKeepAlive(local, bare.opts),
    tcp_opts: dumpTcpOptions(local, wasConnected),
  }
  const why = whyRefused(local, diag)
  if (why) return why
  if (state === TCP_STATE.LISTEN)
    return waiting > 0 && !dump.options.skipInFlight ? inFlight(waiting) : { ...entry, backlog }
  if (state === TCP_STATE.CLOSE) return dumpClosed(probe, entry, wasConnected, dump)
  return dumpConnection(probe, withDestination(entry, diag), dump)
}

/** Of a connection that is being made getpeername tells nothing. */
function withDestination(entry: InetEntry, diag: InetDiag | undefined): InetEntry {
  if (!diag) return entry
  const { destination, shutdown } = diag
  return { ...entry, ...destination, ...(shutdown !== 0 && { shutdown: shutdown as Shutdown }) }
}

function dumpConnection(probe: FdProbe, entry: InetEntry, dump: DumpContext): InetEntry | Refusal {
  const { tcpEstablished, tcpClose } = dump.options
  const isKnown = isConnected(entry.state) || entry.state === TCP_STATE.SYN_SENT
  if (!isKnown)
    return { what: 'in a handshake', remedy: 'try again once the connection is established' }
  if (tcpClose) return entry
  if (!tcpEstablished)
    return {
      what: 'of an established connection',
      remedy: 'dump with --tcp-established to save it, or with --tcp-close to have it closed',
      option: '--tcp-established',
    }
  const why = whyErrorRefused(probe.local)
  if (why) return why
  connectionsOf(dump).push({ probe, entry })
  return entry
}

/** Never connected, or no longer: of an ended one data may still be unread, and an end of file. */
function dumpClosed(
  probe: FdProbe,
  entry: InetEntry,
  wasConnected: boolean,
  dump: DumpContext,
): InetEntry | Refusal {
  const why = dump.options.tcpClose ? undefined : whyErrorRefused(probe.local)
  if (why) return why
  const { isShutForReading } = readConditions(probe.local)
  if (!isShutForReading) return entry
  const ended: InetEntry = { ...entry, shutdown: SHUT_BOTH }
  if (wasConnected) connectionsOf(dump).push({ probe, entry: ended })
  return ended
}

type Shutdown = NonNullable<InetEntry['shutdown']>
/** sk_shutdown.BOTH. */
const SHUT_BOTH: Shutdown = 3

export function whyErrorRefused(fd: LocalFd): Refusal | undefined {
  if (!readConditions(fd).hasError) return undefined
  return {
    what: 'with an error that the program was not told of yet',
    remedy: 'let the program read it (SO_ERROR, or the error queue) first',
  }
}

function whyRefused(fd: LocalFd, diag: InetDiag | undefined): Refusal | undefined {
  const layer = tryGetOption(fd, IPPROTO.TCP, TCP.ULP, 16)
  if (layer && layer.length > 0) {
    const name = Buffer.from(layer).toString('latin1').replace(/\0.*/s, '')
    return {
      what: `with ${name} in the kernel (TCP_ULP)`,
      remedy: 'let the program close it first: the kernel does not tell its keys',
    }
  }
  if (diag?.isSigned || tryGetOption(fd, IPPROTO.TCP, TCP.AO_INFO, 56))
    return {
      what: 'with signed segments (TCP_MD5SIG, TCP_AO)',
      remedy: 'let the program remove the keys first: the kernel does not tell them',
    }
  if (tryGetInt(fd, IPPROTO.TCP, TCP.REPAIR) === 1)
    return { what: 'under repair (TCP_REPAIR)', remedy: 'let the program end the repair first' }
  return undefined
}

const inFlight = (waiting: number): Refusal => ({
  what: `with ${waiting} connections that nobody has accepted yet`,
  remedy: 'dump with --skip-in-flight to leave them out, or let the program accept them',
  option: '--skip-in-flight',
})

/** Did the state change between the two looks in a way that an entry of the first is wrong? */
export const isSameStage = (before: number, after: number): boolean =>
  before === after || (isConnected(before) && isConnected(after)) || hasReceivedFin(after)

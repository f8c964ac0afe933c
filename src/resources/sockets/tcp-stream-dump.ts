import { fail, type Obstacle } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { withOwnFields } from '../../images/own-fields.ts'
import { F } from '../../kernel/constants/fcntl.ts'
import { IPPROTO } from '../../kernel/constants/ip.ts'
import { TCP_STATE } from '../../kernel/constants/socket.ts'
import { TCP, TCP_REPAIR, TCPI_OPT } from '../../kernel/constants/tcp.ts'
import { tryGetInt, trySetInt } from '../../kernel/socket-option.ts'
import { close, must } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import type { DumpContext } from '../dump-model.ts'
import { refuseFile } from '../files/refuse.ts'
import { nameSocket } from '../files/socket-name.ts'
import { bytesOfWords } from './inet-address.ts'
import { type InetDiag, listInetSockets } from './inet-diag.ts'
import { connectionsOf, type TcpConnection } from './tcp-connections.ts'
import { whyErrorRefused } from './tcp-dump.ts'
import { type Repaired, RepairGuard } from './tcp-guard.ts'
import { QueueMemory, readQueues } from './tcp-queues.ts'
import { hasReceivedFin, hasSentFin, isConnected, readTcpInfo } from './tcp-state.ts'
import { URGENT } from './tcp-urgent.ts'

type StreamEntry = Messages['tcp_stream_entry']

/**
 * Saves the queues of all connections. From here on the network is locked, so that nothing comes or
 * goes: each socket is under repair for some microseconds while it is read, and again when its tasks
 * are about to be killed: a socket that is closed under repair says nothing to its peer.
 */
export function saveStreams(dump: DumpContext): void {
  const all = connectionsOf(dump)
  if (all.length === 0) return
  const connected = all.filter(({ entry }) => entry.dst_port !== 0)
  guardRepairs(connected, dump)
  dump.network.lock(connected.map(({ entry }) => endsOf(entry)))
  refuseChanged(all, dump)
  const told = newsOf(all)
  using memory = new QueueMemory()
  for (const one of all) writeStream(one, told.get(one.entry.ino), memory, dump)
}

/** From now on until the tasks are gone or go on: no death of ours leaves a socket locked or under repair. */
function guardRepairs(connections: readonly TcpConnection[], dump: DumpContext): void {
  const sockets = connections.map(({ probe, entry }) => ({
    fd: localFd(must('fcntl', probe.local, F.DUPFD_CLOEXEC, 0)),
    reuse: entry.opts.reuseaddr ?? false,
  }))
  const guard = sockets.length > 0 ? new RepairGuard(sockets, dump.network.removals()) : undefined
  dump.atEnd((succeeded) => {
    if (succeeded && dump.options.finalState === 'killed') silence(sockets)
  })
  dump.afterRelease(() => {
    guard?.[Symbol.dispose]()
    for (const { fd } of sockets) close(fd)
  })
}

/** Their tasks are killed next. */
function silence(sockets: readonly Repaired[]): void {
  for (const { fd } of sockets) trySetInt(fd, IPPROTO.TCP, TCP.REPAIR, TCP_REPAIR.ON)
}

function endsOf({ family, src_addr, src_port, dst_addr, dst_port }: TcpConnection['entry']) {
  return {
    local: { address: bytesOfWords(src_addr, family), port: src_port },
    remote: { address: bytesOfWords(dst_addr, family), port: dst_port },
  }
}

/** Until the network was locked, packets came: what they made of a connection may be no entry of it. */
function refuseChanged(all: readonly TcpConnection[], dump: DumpContext): void {
  const obstacles: Obstacle[] = []
  const late = { ...dump, refuse: (obstacle: Obstacle) => void obstacles.push(obstacle) }
  for (const { probe, entry } of all) {
    const { tcpi_state: state } = readTcpInfo(probe.local)
    const error = whyErrorRefused(probe.local)
    const name = nameSocket(probe.local)
    if (error) refuseFile(late, probe, `${name} ${error.what}`, error.remedy)
    else if (state !== entry.state && !isConnected(state))
      refuseFile(late, probe, `${name} that was just closed or connected`, 'dump it again')
    entry.state = state
  }
  if (obstacles.length > 0) fail({ code: 'obstacles', obstacles })
}

/** What only sock_diag tells, once nothing changes any more. */
function newsOf(all: readonly TcpConnection[]): Map<number, InetDiag> {
  const families = new Set(all.map(({ entry }) => entry.family))
  return new Map([...families].flatMap((family) => [...listInetSockets(family, IPPROTO.TCP)]))
}

function writeStream(
  { probe, entry: socket }: TcpConnection,
  told: InetDiag | undefined,
  memory: QueueMemory,
  dump: DumpContext,
): void {
  const { local } = probe
  const { state } = socket
  if (told) socket.shutdown = (told.shutdown || undefined) as typeof socket.shutdown
  const fin = { sent: Number(hasSentFin(state)), received: Number(hasReceivedFin(state)) }
  const queues = readQueues(local, {
    fin,
    isConnected: isConnected(state),
    isConnecting: state === TCP_STATE.SYN_SENT,
    reuse: socket.opts.reuseaddr ?? false,
    unread: told?.unread,
    memory,
  })
  const entry: StreamEntry = {
    ...agreedOf(local),
    inq_len: queues.received.length,
    inq_seq: queues.receivedSeq,
    outq_len: queues.sent.length,
    outq_seq: queues.sentSeq,
    mss_clamp: queues.mssClamp,
    unsq_len: queues.unsent,
    ...queues.window,
  }
  const own = new Map<number, bigint>()
  if (queues.urgent) {
    own.set(URGENT.at, BigInt(queues.urgent.at))
    if (queues.urgent.isTaken) own.set(URGENT.isTaken, 1n)
  }
  using writer = dump.images.writer('tcp-stream', socket.ino)
  writer.entry(withOwnFields(entry, own))
  writer.raw(queues.received)
  writer.raw(queues.sent)
  writer.close()
}

/** What both ends agreed on when they connected, and what the segments' options stand at. */
function agreedOf(
  fd: LocalFd,
): Pick<StreamEntry, 'opt_mask' | 'snd_wscale' | 'rcv_wscale' | 'timestamp' | 'cork' | 'nodelay'> {
  const { tcpi_options, wscales } = readTcpInfo(fd)
  const option = (name: number): number => tryGetInt(fd, IPPROTO.TCP, name) ?? 0
  const isScaled = (tcpi_options & TCPI_OPT.WSCALE) !== 0
  return {
    opt_mask: tcpi_options,
    snd_wscale: isScaled ? wscales & 15 : 0,
    ...(isScaled && { rcv_wscale: wscales >>> 4 }),
    ...(tcpi_options & TCPI_OPT.TIMESTAMPS && { timestamp: option(TCP.TIMESTAMP) >>> 0 }),
    ...(option(TCP.CORK) && { cork: true }),
    ...(option(TCP.NODELAY) && { nodelay: true }),
  }
}

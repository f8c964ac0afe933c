import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { ownFieldsOf } from '../../images/own-fields.ts'
import { IP, IPPROTO, IPV6 } from '../../kernel/constants/ip.ts'
import { AF, MSG, SHUT, SO, SOL, TCP_STATE } from '../../kernel/constants/socket.ts'
import { TCP, TCP_QUEUE, TCP_REPAIR, TCPI_OPT, TCPOPT } from '../../kernel/constants/tcp.ts'
import { Errno } from '../../kernel/errno.ts'
import { tcpRepairOpt, tcpRepairWindow } from '../../kernel/layout/inet.ts'
import { scratch } from '../../kernel/memory.ts'
import { pause } from '../../kernel/pause.ts'
import { setInt, tryGetInt, trySetOption } from '../../kernel/socket-option.ts'
import { checked, must, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { type InetAddress, nameOfAddress } from './inet-address.ts'
import type { InetEntry } from './inet-protocol.ts'
import { restoreIpOptions } from './ip-options.ts'
import { tryCallWith } from './names.ts'
import { restoreBuffers, type SocketOptions } from './options.ts'
import { FLAG, NEAREST_HOPS, sendToOurselves } from './tcp-segment.ts'
import { hasReceivedFin, hasSentFin, readTcpInfo } from './tcp-state.ts'
import { takeUrgent, URGENT } from './tcp-urgent.ts'

export type StreamEntry = Messages['tcp_stream_entry']

/** A connection as the images have it. */
export interface Stream {
  readonly state: number
  readonly local: InetAddress
  readonly remote: InetAddress
  readonly entry: StreamEntry
  readonly received: Uint8Array
  /** Not acknowledged; without what never was on its way. */
  readonly sent: Uint8Array
  readonly options: SocketOptions
}

export const setTcp = (fd: LocalFd, name: keyof typeof TCP, value: number): void =>
  setInt(fd, IPPROTO.TCP, TCP[name], value, `TCP_${name}`)

/**
 * Makes a bound socket the end of a connection that there was, in silence: it is connected under
 * repair, has the numbers, options and queues of before, and stays under repair. The network is locked,
 * or nobody knows the way here yet.
 */
export function repairConnection(fd: LocalFd, stream: Stream): void {
  const { entry, state, received, sent } = stream
  const fin = { received: Number(hasReceivedFin(state)), sent: Number(hasSentFin(state)) }
  setTcp(fd, 'REPAIR', TCP_REPAIR.ON)
  setSequence(fd, TCP_QUEUE.RECV, entry.inq_seq - entry.inq_len - fin.received)
  setSequence(fd, TCP_QUEUE.SEND, entry.outq_seq - entry.outq_len - fin.sent)
  hearOurselves(fd, stream)
  connect(fd, stream.remote)
  agree(fd, entry)
  makeRoom(fd, received.length, sent.length)
  receive(fd, stream, received)
  setTcp(fd, 'REPAIR_QUEUE', TCP_QUEUE.SEND)
  sendAll(fd, sent, 'fill the send queue')
  exchangeFins(fd, stream)
  setWindow(fd, entry)
  restoreBuffers(fd, { ...stream.options, so_sndbuf: tryGetInt(fd, SOL.SOCKET, SO.SNDBUF)! })
}

function setSequence(fd: LocalFd, queue: number, sequence: number): void {
  setTcp(fd, 'REPAIR_QUEUE', queue)
  setTcp(fd, 'QUEUE_SEQ', sequence)
}

function connect(fd: LocalFd, remote: InetAddress): void {
  const result = tryCallWith('connect', fd, nameOfAddress(remote))
  if (result === -Errno.EADDRNOTAVAIL)
    fail({
      code: 'conflict',
      reason: `a connection to port ${remote.port} is still there that is to be restored`,
      remedy: 'end the program that has it',
    })
  checked(result, `connect a socket under repair to port ${remote.port}`)
}

/** Before the first byte is sent: later the kernel refuses it. */
function agree(fd: LocalFd, entry: StreamEntry): void {
  const { opt_mask, snd_wscale, rcv_wscale = 0, mss_clamp, timestamp } = entry
  const options = [
    ...(opt_mask & TCPI_OPT.SACK ? [{ opt_code: TCPOPT.SACK_PERMITTED, opt_val: 0 }] : []),
    ...(opt_mask & TCPI_OPT.WSCALE
      ? [{ opt_code: TCPOPT.WINDOW, opt_val: snd_wscale | (rcv_wscale << 16) }]
      : []),
    ...(opt_mask & TCPI_OPT.TIMESTAMPS ? [{ opt_code: TCPOPT.TIMESTAMP, opt_val: 0 }] : []),
    { opt_code: TCPOPT.MAXSEG, opt_val: mss_clamp },
  ]
  const value = Buffer.concat(options.map((option) => tcpRepairOpt.encode(option)))
  checked(trySetOption(fd, IPPROTO.TCP, TCP.REPAIR_OPTIONS, value), 'setsockopt TCP_REPAIR_OPTIONS')
  if (timestamp !== undefined) setTcp(fd, 'TIMESTAMP', timestamp)
}

/** The kernel doubles what it is given; half of it goes into what each packet takes beside its data. */
function makeRoom(fd: LocalFd, received: number, sent: number): void {
  const slack = 1 << 20
  setInt(fd, SOL.SOCKET, SO.RCVBUFFORCE, received + slack, 'SO_RCVBUFFORCE')
  setInt(fd, SOL.SOCKET, SO.SNDBUFFORCE, sent + slack, 'SO_SNDBUFFORCE')
}

/** The receive queue: under repair what is sent to it lands there. An urgent byte must come by itself. */
function receive(fd: LocalFd, stream: Stream, received: Uint8Array): void {
  const own = ownFieldsOf(stream.entry)
  const mark = own.get(URGENT.at)
  setTcp(fd, 'REPAIR_QUEUE', TCP_QUEUE.RECV)
  const at = typeof mark === 'bigint' ? Number(mark) : received.length
  sendAll(fd, received.subarray(0, at), 'fill the receive queue')
  if (at === received.length) return
  openWindow(fd, stream)
  const before = readTcpInfo(fd).tcpi_segs_in
  const content = received.subarray(at, at + 1)
  send(fd, stream, at, 0, FLAG.URG | FLAG.ACK | FLAG.PSH, content)
  waitUntil(fd, () => readTcpInfo(fd).tcpi_segs_in !== before)
  if (own.get(URGENT.isTaken) === 1n) takeUrgent(fd)
  setTcp(fd, 'REPAIR_QUEUE', TCP_QUEUE.RECV)
  sendAll(fd, received.subarray(at + 1), 'fill the receive queue')
}

/**
 * Half-closed connections. Our FIN goes into the send queue by shutdown, which under repair sends
 * nothing; the peer's comes in a segment, and so does the peer's word that it has got ours.
 */
function exchangeFins(fd: LocalFd, stream: Stream): void {
  const { state, entry, received } = stream
  if (state === TCP_STATE.ESTABLISHED) return
  openWindow(fd, stream)
  const peerCloses = () => {
    send(fd, stream, received.length, 0, FLAG.FIN | FLAG.ACK)
  }
  const weClose = () => must('shutdown', fd, SHUT.WR)
  const waitFor = (expected: number) => waitUntil(fd, () => readTcpInfo(fd).tcpi_state === expected)
  if (hasReceivedFin(state) && state !== TCP_STATE.CLOSING) {
    peerCloses()
    waitFor(TCP_STATE.CLOSE_WAIT)
  }
  // What was never sent comes first; then it is the end of the restore that shuts down.
  if (hasSentFin(state) && !isShutLater(entry, state)) weClose()
  if (state === TCP_STATE.CLOSING) {
    peerCloses()
    waitFor(state)
  }
  if (state === TCP_STATE.FIN_WAIT2) sayAllReceived(fd, stream, state)
}

/** The peer has got our FIN, which changes the state. */
export function sayAllReceived(fd: LocalFd, stream: Stream, after: number): void {
  const at = stream.received.length + Number(hasReceivedFin(stream.state))
  send(fd, stream, at, 1, FLAG.ACK)
  waitUntil(fd, () => readTcpInfo(fd).tcpi_state === after)
}

/** Is there something to be sent before our FIN. */
export const isShutLater = ({ unsq_len = 0 }: StreamEntry, state: number): boolean =>
  unsq_len > 0 && hasSentFin(state) && state !== TCP_STATE.CLOSING

/** A segment of the peer: its data up to `at` came before, and it has got `finAck` FINs of ours. */
function send(
  fd: LocalFd,
  stream: Stream,
  at: number,
  finAck: number,
  flags: number,
  content?: Uint8Array,
): void {
  const { entry, state, local, remote } = stream
  const unacknowledged = entry.outq_seq - entry.outq_len - Number(hasSentFin(state))
  const start = entry.inq_seq - entry.inq_len - Number(hasReceivedFin(state))
  const window = (entry.snd_wnd ?? 0xffff) >>> entry.snd_wscale
  const seq = start + at
  const ack = unacknowledged + finAck
  const segment = { from: remote, to: local, seq, ack, flags, window }
  sendToOurselves(content ? { ...segment, content } : segment, fd)
}

/**
 * What others say to the socket meanwhile is not heard: data that comes while its queue is filled, or
 * "nobody is here" of a peer that is still to be restored. Until {@link hearEveryone}.
 */
function hearOurselves(fd: LocalFd, { local }: Stream): void {
  setHops(fd, local.address.length === 16, NEAREST_HOPS)
}

/** The socket hears its peer again, wherever that is. */
export function hearEveryone(fd: LocalFd, { family, ip_opts }: InetEntry): void {
  setHops(fd, family === AF.INET6, 0)
  if (ip_opts) restoreIpOptions(fd, ip_opts)
}

function setHops(fd: LocalFd, isIpv6: boolean, hops: number): void {
  setInt(fd, SOL.IP, IP.MINTTL, hops, 'IP_MINTTL')
  if (isIpv6) setInt(fd, SOL.IPV6, IPV6.MINHOPCOUNT, hops, 'IPV6_MINHOPCOUNT')
}

const FULL_WINDOW = 0xffff

/** Room for what comes in a segment, however full the queue was. */
function openWindow(fd: LocalFd, { entry }: Stream): void {
  setTcp(fd, 'REPAIR_QUEUE', TCP_QUEUE.RECV)
  const next = tryGetInt(fd, IPPROTO.TCP, TCP.QUEUE_SEQ)! >>> 0
  setTcp(fd, 'REPAIR_QUEUE', TCP_QUEUE.SEND)
  setWindowTo(fd, {
    snd_wl1: (next - 1) >>> 0,
    snd_wnd: entry.snd_wnd ?? FULL_WINDOW,
    max_window: entry.max_window ?? FULL_WINDOW,
    rcv_wnd: FULL_WINDOW,
    rcv_wup: next,
  })
}

/** Images of upstream before 3.0 have no windows. */
function setWindow(fd: LocalFd, entry: StreamEntry): void {
  const { snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup } = entry
  if (
    snd_wl1 === undefined ||
    snd_wnd === undefined ||
    max_window === undefined ||
    rcv_wnd === undefined ||
    rcv_wup === undefined
  )
    return
  setWindowTo(fd, { snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup })
}

function setWindowTo(fd: LocalFd, window: Parameters<typeof tcpRepairWindow.encode>[0]): void {
  const value = tcpRepairWindow.encode(window)
  checked(trySetOption(fd, IPPROTO.TCP, TCP.REPAIR_WINDOW, value), 'setsockopt TCP_REPAIR_WINDOW')
}

const CHUNK = 512 << 10

/** Into the queue that is under repair, or to the peer. */
export function sendAll(fd: LocalFd, content: Uint8Array, operation: string): void {
  for (let at = 0; at < content.length; ) {
    using s = scratch()
    const { address, bytes } = s.put(content.subarray(at, at + CHUNK))
    const flags = MSG.DONTWAIT | MSG.NOSIGNAL
    at += checked(sys('sendto', fd, address, bytes.length, flags, 0, 0), operation)
  }
}

const PATIENCE_MS = 2000

/** A segment over loopback comes at once, but for a busy machine. */
function waitUntil(fd: LocalFd, condition: () => boolean): void {
  for (let waited = 0; !condition(); waited++) {
    if (waited < 100) pause(0)
    else if (waited < 100 + PATIENCE_MS) pause(1000)
    else
      fail({
        code: 'conflict',
        reason: `a connection cannot be half closed again: what is sent over loopback does not arrive (state ${readTcpInfo(fd).tcpi_state})`,
        remedy: 'look at the rules of the firewall for the device lo',
      })
  }
}

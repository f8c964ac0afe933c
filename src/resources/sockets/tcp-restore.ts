import { fail } from '../../errors/error.ts'
import type { RestoreOptions } from '../../job/options.ts'
import { F, O } from '../../kernel/constants/fcntl.ts'
import { SHUT, SO, SOL, TCP_STATE } from '../../kernel/constants/socket.ts'
import { TCP_QUEUE, TCP_REPAIR } from '../../kernel/constants/tcp.ts'
import { Errno } from '../../kernel/errno.ts'
import { setInt } from '../../kernel/socket-option.ts'
import { checked, must, sys } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { RestoreContext } from '../restore-model.ts'
import { bytesOfWords, type InetAddress, isAnyAddress, nameOfAddress } from './inet-address.ts'
import type { InetEntry } from './inet-protocol.ts'
import { tryCallWith } from './names.ts'
import { restoreBuffers } from './options.ts'
import type { Refusal } from './refusal.ts'
import { bindAndListen, bindUnderRepair, sourceOf } from './tcp-bind.ts'
import { restoreEnded } from './tcp-ended.ts'
import { restoreTcpOptions } from './tcp-options.ts'
import {
  hearEveryone,
  isShutLater,
  repairConnection,
  type Stream,
  sendAll,
  setTcp,
} from './tcp-repair.ts'
import { hasReceivedFin, isConnected } from './tcp-state.ts'

/** Bits of sk_shutdown. */
const RCV_SHUTDOWN = 1

const needsPeer = ({ state }: InetEntry): boolean =>
  isConnected(state) || state === TCP_STATE.SYN_SENT

/** As on dump, connections come back only when that is asked for. */
export function whyNotRestored(entry: InetEntry, options: RestoreOptions): Refusal | undefined {
  if (!needsPeer(entry) || options.tcpEstablished || options.tcpClose) return undefined
  return {
    what: 'of an established connection',
    remedy: 'restore with --tcp-established, or with --tcp-close to have it closed',
  }
}

/** Names, queues and state of a new socket that has the options of IP and SOL_SOCKET. */
export function openTcp(fd: LocalFd, entry: InetEntry, restore: RestoreContext): void {
  const { state } = entry
  if (needsPeer(entry) && restore.options.tcpClose) {
    restoreTcpOptions(fd, entry)
    shutdown(fd)
  } else if (isConnected(state)) openConnection(fd, entry, restore)
  else if (state === TCP_STATE.SYN_SENT) openConnecting(fd, entry, restore)
  else openUnconnected(fd, entry, restore)
}

/** What it can still be told is that nothing more comes: 0 bytes. */
function shutdown(fd: LocalFd): void {
  const result = sys('shutdown', fd, SHUT.RDWR)
  if (result !== -Errno.ENOTCONN) checked(result, 'shutdown')
}

function openUnconnected(fd: LocalFd, entry: InetEntry, restore: RestoreContext): void {
  restoreTcpOptions(fd, entry)
  const stream = entry.shutdown && tryReadStream(entry, restore)
  if (stream) {
    bindUnderRepair(fd, entry)
    restoreEnded(fd, stream)
  } else {
    if (entry.src_port !== 0 || !isAnyAddress(sourceOf(entry))) bindAndListen(fd, entry)
    if (entry.shutdown) shutdown(fd)
  }
}

function openConnection(fd: LocalFd, entry: InetEntry, restore: RestoreContext): void {
  const stream = readStream(entry, restore)
  bindUnderRepair(fd, entry)
  repairConnection(fd, stream)
}

/** Once every object of every task is there: what is left for the end, when the network is unlocked. */
export function connectTcp(fd: LocalFd, entry: InetEntry, restore: RestoreContext): void {
  if (entry.state === TCP_STATE.CLOSE && entry.shutdown) hearEveryone(fd, entry)
  if (!needsPeer(entry) || restore.options.tcpClose) return
  const finish = isConnected(entry.state) ? resume : connectAgain
  restore.atEnd((succeeded) => {
    if (succeeded) finish(fd, entry, restore)
  })
}

/**
 * With the end of the repair the peer is asked for a sign of life; what was never sent is sent now, as
 * the program would.
 */
function resume(fd: LocalFd, entry: InetEntry, restore: RestoreContext): void {
  hearEveryone(fd, entry)
  setTcp(fd, 'REPAIR', TCP_REPAIR.OFF)
  setInt(fd, SOL.SOCKET, SO.REUSEADDR, Number(entry.opts.reuseaddr ?? false), 'SO_REUSEADDR')
  sendUnsent(fd, entry, restore)
  const { shutdown: closed = 0, state } = entry
  if (closed & RCV_SHUTDOWN && !hasReceivedFin(state)) must('shutdown', fd, SHUT.RD)
  restoreBuffers(fd, entry.opts)
  restoreTcpOptions(fd, entry)
}

function sendUnsent(fd: LocalFd, entry: InetEntry, restore: RestoreContext): void {
  const [known] = restore.images.readAll('tcp-stream', entry.ino)
  if (!known?.unsq_len) return
  const { unsent } = readStream(entry, restore)
  setInt(fd, SOL.SOCKET, SO.SNDBUFFORCE, known.outq_len + ROOM, 'SO_SNDBUFFORCE')
  sendAll(fd, unsent, 'send what was not sent yet')
  if (isShutLater(known, entry.state)) must('shutdown', fd, SHUT.WR)
}

/** Beside the data of a send queue. */
const ROOM = 1 << 20

/** Begins to connect once more, with the old first number: the peer may have an answer on its way. */
function openConnecting(fd: LocalFd, entry: InetEntry, restore: RestoreContext): void {
  const stream = tryReadStream(entry, restore)
  bindUnderRepair(fd, entry)
  if (stream) {
    setTcp(fd, 'REPAIR_QUEUE', TCP_QUEUE.SEND)
    setTcp(fd, 'QUEUE_SEQ', stream.entry.outq_seq - 1)
  }
  setTcp(fd, 'REPAIR', TCP_REPAIR.OFF_NO_WP)
  restoreTcpOptions(fd, entry)
}

function connectAgain(fd: LocalFd, entry: InetEntry): void {
  const flags = must('fcntl', fd, F.GETFL)
  must('fcntl', fd, F.SETFL, flags | O.NONBLOCK)
  const result = tryCallWith('connect', fd, nameOfAddress(destinationOf(entry)))
  must('fcntl', fd, F.SETFL, flags)
  setInt(fd, SOL.SOCKET, SO.REUSEADDR, Number(entry.opts.reuseaddr ?? false), 'SO_REUSEADDR')
  if (result !== -Errno.EINPROGRESS) checked(result, `connect again to port ${entry.dst_port}`)
}

/** Link-local addresses are of one device: that of our own end. */
const destinationOf = (entry: InetEntry): InetAddress => ({
  address: bytesOfWords(entry.dst_addr, entry.family),
  port: entry.dst_port,
  scope: sourceOf(entry).scope,
})

interface ReadStream extends Stream {
  /** What never was on its way. */
  readonly unsent: Uint8Array
}

function readStream(entry: InetEntry, restore: RestoreContext): ReadStream {
  const stream = tryReadStream(entry, restore)
  if (stream) return stream
  const file = restore.images.pathOf('tcp-stream', entry.ino)
  const reason = 'there is no such image, as after a dump with --tcp-close'
  return fail({ code: 'image', file, reason, remedy: 'restore with --tcp-close' })
}

/** What was never sent stands at the end of the send queue; before a FIN in passing both FINs are on their way. */
function tryReadStream(socket: InetEntry, { images }: RestoreContext): ReadStream | undefined {
  const [found] = images.tryReadWithPayload('tcp-stream', socket.ino) ?? []
  if (!found) return undefined
  const { entry, payload } = found
  const { state, opts: options } = socket
  const queue = payload.subarray(entry.inq_len)
  const unsent = state === TCP_STATE.CLOSING ? 0 : (entry.unsq_len ?? 0)
  const onItsWay = Math.max(queue.length - unsent, 0)
  return {
    state,
    options,
    entry,
    local: sourceOf(socket),
    remote: destinationOf(socket),
    received: payload.subarray(0, entry.inq_len),
    sent: queue.subarray(0, onItsWay),
    unsent: queue.subarray(onItsWay),
  }
}

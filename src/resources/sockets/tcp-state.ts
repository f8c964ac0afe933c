import { SIOC } from '../../kernel/constants/ioctl.ts'
import { IPPROTO } from '../../kernel/constants/ip.ts'
import { POLL } from '../../kernel/constants/poll.ts'
import { TCP_STATE } from '../../kernel/constants/socket.ts'
import { TCP } from '../../kernel/constants/tcp.ts'
import { tcpInfo } from '../../kernel/layout/inet.ts'
import type { StructValue } from '../../kernel/layout/layout.ts'
import { scratch } from '../../kernel/memory.ts'
import { tryGetOption } from '../../kernel/socket-option.ts'
import { must } from '../../kernel/sys.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { pollSocket } from './pending.ts'

type State = (typeof TCP_STATE)[keyof typeof TCP_STATE]

const among =
  (...states: readonly State[]) =>
  (state: number): boolean =>
    (states as readonly number[]).includes(state)

/** There is a peer, and packets on their way: repair brings it back. */
export const isConnected = among(
  TCP_STATE.ESTABLISHED,
  TCP_STATE.FIN_WAIT1,
  TCP_STATE.FIN_WAIT2,
  TCP_STATE.CLOSE_WAIT,
  TCP_STATE.LAST_ACK,
  TCP_STATE.CLOSING,
)
/** We have said that nothing more comes (shutdown): a FIN is the last in the send queue, or was sent. */
export const hasSentFin = among(
  TCP_STATE.FIN_WAIT1,
  TCP_STATE.FIN_WAIT2,
  TCP_STATE.CLOSING,
  TCP_STATE.LAST_ACK,
)
/** The peer's FIN was received: it is behind all data of the receive queue. */
export const hasReceivedFin = among(TCP_STATE.CLOSE_WAIT, TCP_STATE.LAST_ACK, TCP_STATE.CLOSING)

/** TCP_INFO. */
export function readTcpInfo(fd: LocalFd): StructValue<typeof tcpInfo> {
  const told = tryGetOption(fd, IPPROTO.TCP, TCP.INFO, tcpInfo.size)!
  return tcpInfo.decode(Buffer.concat([told], tcpInfo.size))
}

/** Lengths of the queues; FINs count, as the kernel counts them in sequence numbers. */
export function queueLengths(fd: LocalFd): { sent: number; unsent: number; received: number } {
  return {
    sent: ask(fd, SIOC.OUTQ),
    unsent: ask(fd, SIOC.OUTQNSD),
    received: ask(fd, SIOC.INQ),
  }
}

function ask(fd: LocalFd, request: number): number {
  using s = scratch()
  const memory = s.take(4)
  must('ioctl', fd, request, memory.address)
  return memory.view.getInt32(0, true)
}

/** What poll tells of a socket beside data. */
export function readConditions(fd: LocalFd): {
  /** An error that the next call will tell, or an entry of the error queue. */
  hasError: boolean
  /** Nothing more can be received: the peer's FIN, or shutdown. */
  isShutForReading: boolean
  /** An urgent byte (MSG_OOB) was not taken yet. */
  hasUrgent: boolean
} {
  const events = pollSocket(fd, POLL.RDHUP | POLL.PRI)
  return {
    hasError: (events & POLL.ERR) !== 0,
    isShutForReading: (events & POLL.RDHUP) !== 0,
    hasUrgent: (events & POLL.PRI) !== 0,
  }
}

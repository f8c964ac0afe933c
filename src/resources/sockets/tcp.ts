import { IPPROTO } from '../../kernel/constants/ip.ts'
import { SOCK } from '../../kernel/constants/socket.ts'
import type { InetProtocol } from './inet-protocol.ts'
import { dumpTcp } from './tcp-dump.ts'
import { connectTcp, openTcp, whyNotRestored } from './tcp-restore.ts'
import { saveStreams } from './tcp-stream-dump.ts'

/** tcp(7): listening, connected, half closed and closed sockets. */
export const tcp: InetProtocol = {
  has: (type, protocol) => type === SOCK.STREAM && protocol === IPPROTO.TCP,
  dump: dumpTcp,
  drain: saveStreams,
  obstacle: whyNotRestored,
  open: openTcp,
  connect: connectTcp,
}

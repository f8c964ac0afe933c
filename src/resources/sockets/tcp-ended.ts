import { TCP_STATE } from '../../kernel/constants/socket.ts'
import { TCP_REPAIR } from '../../kernel/constants/tcp.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { InetAddress } from './inet-address.ts'
import { repairConnection, type Stream, sayAllReceived, setTcp } from './tcp-repair.ts'

/**
 * A connection that has ended, of which the program has not read everything: data, and then the end of
 * file. Its peer is nobody's affair any more, so it lives once more with a peer that is not there, has
 * its data, and ends as connections do: both FINs, and the word that ours has come. It has its old
 * name then, but keeps no port.
 */
export function restoreEnded(fd: LocalFd, ended: Stream): void {
  const { length } = ended.received
  const entry = {
    ...ended.entry,
    inq_len: length,
    inq_seq: FIRST + length + FIN,
    outq_len: 0,
    outq_seq: FIRST + FIN,
    opt_mask: 0,
    snd_wscale: 0,
    mss_clamp: 536,
  }
  const stream = { ...ended, state: TCP_STATE.LAST_ACK, remote: nobodyNear(ended.local), entry }
  repairConnection(fd, stream)
  sayAllReceived(fd, stream, TCP_STATE.CLOSE)
  setTcp(fd, 'REPAIR', TCP_REPAIR.OFF_NO_WP)
}

/** A sequence number as good as any, and what a FIN adds to it. */
const [FIRST, FIN] = [1000, 1]

/** tcpmux and the port behind it: no connection comes from there. */
const [NOBODY, NOBODY_ELSE] = [1, 2]

const nobodyNear = (local: InetAddress): InetAddress => ({
  ...local,
  port: local.port === NOBODY ? NOBODY_ELSE : NOBODY,
})

import type { Messages } from '../../images/gen/messages.ts'
import { PACKET_FANOUT } from '../../kernel/constants/packet.ts'
import type { FdProbe } from '../dump-model.ts'
import type { PacketDiag } from './packet-diag.ts'
import { hasPendingError, holdsUnsent, receiveMemory } from './pending.ts'
import type { Refusal } from './refusal.ts'

/** Of PACKET_FANOUT, behind the number of the group. */
const FANOUT_TYPE = (fanout: number): number => (fanout >>> 16) & 0xff

/**
 * Packets that lie unread would have to come once more from their device, for this socket alone; the
 * program that a group is shared out by is not told.
 */
export function whyPacketRefused(
  { local }: FdProbe,
  { fanout = 0 }: Messages['packet_sock_entry'],
  { ifindex, hasFanout }: PacketDiag,
): Refusal | undefined {
  const type = FANOUT_TYPE(fanout)
  if (hasFanout && (type === PACKET_FANOUT.CBPF || type === PACKET_FANOUT.EBPF))
    return {
      what: 'of a group with a program (PACKET_FANOUT_DATA)',
      remedy: 'let the program close it first',
    }
  if (ifindex < 0)
    return { what: 'bound to a device that is gone', remedy: 'let the program close it first' }
  if (receiveMemory(local) > 0)
    return { what: 'with packets not yet read', remedy: 'try again once the program has read them' }
  if (hasPendingError(local))
    return { what: 'with an error not yet read', remedy: 'try again once the program has read it' }
  if (holdsUnsent(local))
    return { what: 'with packets not yet sent', remedy: 'try again once they are sent' }
  return undefined
}

import { encode, make } from '../../images/codec.ts'
import { criu_req_type } from '../../images/gen/enums.ts'
import type { Messages } from '../../images/gen/messages.ts'

type UnixEntry = Messages['unix_sk_entry']

/**
 * Bit of unix_sk_entry.uflags: the socket by which its program has asked us for the dump of itself. It
 * comes back with its peer closed and one answer in its queue, which says that this is after a restore.
 */
const USK_CALLBACK = 4

export function markCallback(entry: UnixEntry): void {
  entry.uflags |= USK_CALLBACK
}

/** What waits in the queue of such a socket, as an entry of sk-queues; undefined for all others. */
export function callbackAnswer({ id, uflags }: UnixEntry) {
  if (!(uflags & USK_CALLBACK)) return undefined
  const type = criu_req_type.DUMP
  const bytes = encode('criu_resp', { type, success: true, dump: { restored: true } })
  return { packet: make('sk_packet_entry', { id_for: id, length: bytes.length }), bytes }
}

import type { Messages } from '../../images/gen/messages.ts'
import { PACKET } from '../../kernel/constants/packet.ts'
import { SOL } from '../../kernel/constants/socket.ts'
import { flag, int, type OptionForm, type OptionRow } from './option-table.ts'

type PacketEntry = Messages['packet_sock_entry']

/** Our fields: this, and the option's own number. */
const FIELDS = 15000

function row(
  name: keyof typeof PACKET,
  form: OptionForm,
  field: OptionRow<PacketEntry>['field'] = FIELDS + PACKET[name],
): OptionRow<PacketEntry> {
  const row = { name: `PACKET_${name}`, level: SOL.PACKET, option: PACKET[name], form, field }
  return typeof field === 'string' ? row : { ...row, fresh: form === flag ? false : 0 }
}

/**
 * Options that can be set and read back, as they are set: all of them before the rings, whose frames
 * have the form and the room that they ask for. PACKET_VNET_HDR_SZ is the exact form (since Linux
 * 6.6) of PACKET_VNET_HDR. PACKET_COPY_THRESH is only told by sock_diag.
 */
export const packetRows: readonly OptionRow<PacketEntry>[] = [
  row('VERSION', int, 'version'),
  row('RESERVE', int, 'reserve'),
  row('AUXDATA', flag, 'aux_data'),
  row('ORIGDEV', flag, 'orig_dev'),
  row('VNET_HDR', flag, 'vnet_hdr'),
  row('VNET_HDR_SZ', int),
  row('LOSS', flag, 'loss'),
  row('TIMESTAMP', int, 'timestamp'),
  row('TX_HAS_OFF', flag),
  row('QDISC_BYPASS', flag),
  row('IGNORE_OUTGOING', flag),
]

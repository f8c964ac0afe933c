import { IPPROTO } from '../../kernel/constants/ip.ts'
import { SOL } from '../../kernel/constants/socket.ts'
import { SOL_UDPLITE, UDP, UDPLITE } from '../../kernel/constants/udp.ts'
import type { InetEntry } from './inet-protocol.ts'
import { flag, int, type OptionForm, type OptionRow } from './option-table.ts'

/** Our fields: this, and the option's own number. */
const FIELDS = 15200

const udp = (name: keyof typeof UDP, form: OptionForm): OptionRow<InetEntry> => ({
  name: `UDP_${name}`,
  level: SOL.UDP,
  option: UDP[name],
  form,
  field: FIELDS + UDP[name],
  fresh: form === flag ? false : 0,
})

const lite = (name: keyof typeof UDPLITE): OptionRow<InetEntry> => ({
  name: `UDPLITE_${name}`,
  level: SOL_UDPLITE,
  option: UDPLITE[name],
  form: int,
  field: FIELDS + UDPLITE[name],
  fresh: 0,
})

const both = [
  udp('NO_CHECK6_TX', flag),
  udp('NO_CHECK6_RX', flag),
  udp('SEGMENT', int),
  udp('GRO', flag),
  udp('CORK', flag),
]

/** Options of udp(7) and udplite(7) that can be set and read back. */
export const udpRows = (protocol: number): readonly OptionRow<InetEntry>[] =>
  protocol === IPPROTO.UDPLITE ? [lite('SEND_CSCOV'), lite('RECV_CSCOV'), ...both] : both

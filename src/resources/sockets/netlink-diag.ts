import {
  NDIAG_FLAG,
  NDIAG_PROTO_ALL,
  NDIAG_SHOW,
  NETLINK_DIAG,
} from '../../kernel/constants/netlink.ts'
import { AF } from '../../kernel/constants/socket.ts'
import { netlinkDiagMsg, netlinkDiagReq } from '../../kernel/layout/netlink.ts'
import { parseAttributes } from '../../kernel/netlink/attributes.ts'
import { dumpSockets } from '../../kernel/netlink/sock-diag.ts'
import { DiagBook } from './diag-book.ts'

/** What only sock_diag tells of a netlink socket. */
export interface NetlinkDiag {
  /** NETLINK_UNCONNECTED (0) or NETLINK_CONNECTED (1). */
  readonly state: number
  /** Of a connected one: the port, and the number of the group. */
  readonly destination: { readonly portid: number; readonly group: number }
  /** An answer to NLM_F_DUMP of which not all was read yet. */
  readonly isDumping: boolean
}

/** Of netlink sockets that have a port: those without are in no table. */
export const netlinkBook = (): DiagBook<NetlinkDiag> =>
  new DiagBook((namespace) => {
    const request = netlinkDiagReq.encode({
      sdiag_family: AF.NETLINK,
      sdiag_protocol: NDIAG_PROTO_ALL,
      ndiag_show: NDIAG_SHOW.FLAGS,
    })
    const answers = dumpSockets(request, 'list netlink sockets', namespace)
    return new Map(answers.map(({ body }) => tell(body)))
  })

function tell(body: Uint8Array): [inode: number, NetlinkDiag] {
  const told = netlinkDiagMsg.decode(body)
  const flags = parseAttributes(body, netlinkDiagMsg.size).u32(NETLINK_DIAG.FLAGS) ?? 0
  const diag = {
    state: told.ndiag_state,
    destination: { portid: told.ndiag_dst_portid, group: told.ndiag_dst_group },
    isDumping: (flags & NDIAG_FLAG.CB_RUNNING) !== 0,
  }
  return [told.ndiag_ino, diag]
}

import { INET_DIAG } from '../../kernel/constants/inet-diag.ts'
import { IPPROTO } from '../../kernel/constants/ip.ts'
import { AF } from '../../kernel/constants/socket.ts'
import { inetDiagMsg, inetDiagReqV2 } from '../../kernel/layout/inet.ts'
import { parseAttributes } from '../../kernel/netlink/attributes.ts'
import type { NetNamespace } from '../../kernel/netlink/namespace.ts'
import { ALL_STATES, dumpSockets } from '../../kernel/netlink/sock-diag.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { DiagBook } from './diag-book.ts'
import { wordsOf } from './inet-address.ts'
import type { InetEntry } from './inet-protocol.ts'

/** What sock_diag tells of a socket of AF_INET or AF_INET6, and other calls do not. */
export interface InetDiag {
  /** Of TCP_STATE, whatever the protocol. */
  readonly state: number
  readonly sourcePort: number
  /** As the entry has it; also of a connection that is being made. */
  readonly destination: Pick<InetEntry, 'dst_port' | 'dst_addr'>
  /** Bits RCV_SHUTDOWN (1) and SEND_SHUTDOWN (2): what shutdown and FINs have closed. */
  readonly shutdown: number
  /** Bytes received and not yet read, past an urgent one too; of TCP a FIN counts as one. */
  readonly unread: number
  /** Segments are signed (TCP_MD5SIG), by keys that the kernel does not tell. */
  readonly isSigned: boolean
}

/** Sockets of one protocol that are bound to a port, by inode. */
export class InetBook {
  readonly #byFamily: ReadonlyMap<number, DiagBook<InetDiag>>

  constructor(protocol: number) {
    const book = (family: number) =>
      [family, new DiagBook((namespace) => listInetSockets(family, protocol, namespace))] as const
    this.#byFamily = new Map([book(AF.INET), book(AF.INET6)])
  }

  /** What was told when the first of them was met; undefined without a port. */
  of(probe: FdProbe, family: number, dump: DumpContext): InetDiag | undefined {
    return this.#byFamily.get(family)?.of(probe, dump)
  }
}

/** As it is now, of a whole network namespace (ours, unless it is named). */
export function listInetSockets(
  family: number,
  protocol: number,
  namespace?: NetNamespace,
): Map<number, InetDiag> {
  const request = inetDiagReqV2.encode({
    sdiag_family: family,
    sdiag_protocol: protocol,
    idiag_ext: bit(INET_DIAG.SHUTDOWN) | (protocol === IPPROTO.TCP ? bit(INET_DIAG.INFO) : 0),
    idiag_states: ALL_STATES,
  })
  const answers = dumpSockets(request, 'list internet sockets', namespace)
  return new Map(answers.map(({ body }) => tell(body)))
}

/** With INET_DIAG_INFO comes what TCP has beside it: INET_DIAG_MD5SIG. */
const bit = (attribute: number): number => 1 << (attribute - 1)

function tell(body: Uint8Array): [inode: number, InetDiag] {
  const told = inetDiagMsg.decode(body)
  const { id } = told
  const attributes = parseAttributes(body, inetDiagMsg.size)
  const length = told.idiag_family === AF.INET6 ? 16 : 4
  const diag: InetDiag = {
    state: told.idiag_state,
    sourcePort: Buffer.from(id.idiag_sport).readUInt16BE(),
    destination: {
      dst_port: Buffer.from(id.idiag_dport).readUInt16BE(),
      dst_addr: wordsOf(id.idiag_dst.subarray(0, length)),
    },
    shutdown: attributes.u8(INET_DIAG.SHUTDOWN) ?? 0,
    unread: told.idiag_rqueue,
    isSigned: attributes.has(INET_DIAG.MD5SIG),
  }
  return [told.idiag_inode, diag]
}

import { INET_DIAG } from '../../kernel/constants/inet-diag.ts'
import { AF, TCP_STATE } from '../../kernel/constants/socket.ts'
import { inetDiagMsg, inetDiagReqV2 } from '../../kernel/layout/inet.ts'
import { parseAttributes } from '../../kernel/netlink/attributes.ts'
import { ALL_STATES, dumpSockets } from '../../kernel/netlink/sock-diag.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { DiagBook } from './diag-book.ts'
import { wordsOf } from './inet-address.ts'
import type { InetEntry } from './inet-protocol.ts'

/** What getsockopt and getpeername do not tell of a socket of datagrams. */
export interface DatagramDiag {
  /** TCP_ESTABLISHED for a connected one, also where the peer's port is 0. */
  readonly state: number
  readonly destination: Pick<InetEntry, 'dst_addr' | 'dst_port'>
  /** RCV_SHUTDOWN (1) and SEND_SHUTDOWN (2), as sk_shutdown of images. */
  readonly shutdown: number
}

/** Sockets of one protocol that are in the kernel's tables: those that have a port. */
export class DatagramBook {
  readonly #ipv4: DiagBook<DatagramDiag>
  readonly #ipv6: DiagBook<DatagramDiag>

  constructor(protocol: number) {
    this.#ipv4 = bookOf(AF.INET, protocol)
    this.#ipv6 = bookOf(AF.INET6, protocol)
  }

  of(probe: FdProbe, family: number, dump: DumpContext): DatagramDiag | undefined {
    return (family === AF.INET6 ? this.#ipv6 : this.#ipv4).of(probe, dump)
  }
}

const bookOf = (family: number, protocol: number): DiagBook<DatagramDiag> =>
  new DiagBook((namespace) => {
    const request = inetDiagReqV2.encode({
      sdiag_family: family,
      sdiag_protocol: protocol,
      idiag_ext: 1 << (INET_DIAG.SHUTDOWN - 1),
      idiag_states: ALL_STATES,
    })
    const answers = dumpSockets(request, 'list sockets of datagrams', namespace)
    return new Map(answers.map(({ body }) => tell(body)))
  })

function tell(body: Uint8Array): [inode: number, DatagramDiag] {
  const { idiag_family, idiag_state, idiag_inode, id } = inetDiagMsg.decode(body)
  const isConnected = idiag_state === TCP_STATE.ESTABLISHED
  const address = id.idiag_dst.subarray(0, idiag_family === AF.INET6 ? 16 : 4)
  const diag = {
    state: idiag_state,
    destination: {
      dst_addr: wordsOf(isConnected ? address : new Uint8Array(address.length)),
      dst_port: isConnected ? Buffer.from(id.idiag_dport).readUInt16BE() : 0,
    },
    shutdown: parseAttributes(body, inetDiagMsg.size).u8(INET_DIAG.SHUTDOWN) ?? 0,
  }
  return [idiag_inode, diag]
}

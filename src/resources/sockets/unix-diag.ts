import { UDIAG_SHOW, UNIX_DIAG } from '../../kernel/constants/netlink.ts'
import { AF } from '../../kernel/constants/socket.ts'
import {
  unixDiagMsg,
  unixDiagReq,
  unixDiagRqlen,
  unixDiagVfs,
} from '../../kernel/layout/netlink.ts'
import { parseAttributes } from '../../kernel/netlink/attributes.ts'
import type { NetNamespace } from '../../kernel/netlink/namespace.ts'
import { ALL_STATES, dumpSockets } from '../../kernel/netlink/sock-diag.ts'
import type { NetlinkMessage } from '../../kernel/netlink/socket.ts'

/** What the kernel tells of a unix socket (man 7 sock_diag). */
export interface ToldUnix {
  readonly ino: number
  /** SOCK_… */
  readonly type: number
  /** ESTABLISHED, LISTEN or CLOSE of TCP_STATE. */
  readonly state: number
  /** Its address behind `sun_family`, as the kernel keeps it: a path has its closing zero. */
  readonly name: Uint8Array
  /** The file that it is bound to, of the kernel's own numbers; 0 where it is bound to none. */
  readonly file: { readonly ino: number; readonly dev: number }
  /** Inode of the peer; 0: none, or one that no descriptor leads to. */
  readonly peer: number
  /** Of a listener: inodes of those whose connection waits, oldest first; 0: closed meanwhile. */
  readonly waiting: readonly number[]
  /** Bytes to be read; of a datagram socket those of the first message; of a listener connections. */
  readonly received: number
  /** Memory of what was sent and is not read yet; of a listener the backlog. */
  readonly sent: number
  /** Bits of SHUT_RD + 1 and SHUT_WR + 1. */
  readonly shutdown: number
}

const request = unixDiagReq.encode({
  sdiag_family: AF.UNIX,
  udiag_states: ALL_STATES,
  udiag_show:
    UDIAG_SHOW.NAME | UDIAG_SHOW.VFS | UDIAG_SHOW.PEER | UDIAG_SHOW.ICONS | UDIAG_SHOW.RQLEN,
})

/** All unix sockets of a network namespace by inode. */
export function askUnixSockets(namespace?: NetNamespace): Map<number, ToldUnix> {
  const messages = dumpSockets(request, 'list unix sockets', namespace)
  return new Map(messages.map(decode).map((told) => [told.ino, told]))
}

function decode({ body }: NetlinkMessage): ToldUnix {
  const { udiag_ino: ino, udiag_type: type, udiag_state: state } = unixDiagMsg.decode(body)
  const attributes = parseAttributes(body, unixDiagMsg.size)
  const file = attributes.bytes(UNIX_DIAG.VFS)
  const lengths = attributes.bytes(UNIX_DIAG.RQLEN)
  const { udiag_vfs_ino, udiag_vfs_dev } = file ? unixDiagVfs.decode(file) : noFile
  const { udiag_rqueue, udiag_wqueue } = lengths ? unixDiagRqlen.decode(lengths) : noLengths
  return {
    ino,
    type,
    state,
    name: attributes.bytes(UNIX_DIAG.NAME) ?? new Uint8Array(),
    file: { ino: udiag_vfs_ino, dev: udiag_vfs_dev },
    peer: attributes.u32(UNIX_DIAG.PEER) ?? 0,
    waiting: inodesOf(attributes.bytes(UNIX_DIAG.ICONS)),
    received: udiag_rqueue,
    sent: udiag_wqueue,
    shutdown: attributes.u8(UNIX_DIAG.SHUTDOWN) ?? 0,
  }
}

const noFile = { udiag_vfs_ino: 0, udiag_vfs_dev: 0 }
const noLengths = { udiag_rqueue: 0, udiag_wqueue: 0 }

function inodesOf(bytes: Uint8Array = new Uint8Array()): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4, true))
}

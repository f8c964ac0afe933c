import { fail } from '../../errors/error.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { NETLINK } from '../../kernel/constants/netlink.ts'
import { CLONE } from '../../kernel/constants/sched.ts'
import { Errno, errnoName } from '../../kernel/errno.ts'
import { ifinfomsg } from '../../kernel/layout/rtnetlink.ts'
import { attributeU32, joinBytes, parseAttributes } from '../../kernel/netlink/attributes.ts'
import { inNetNamespace } from '../../kernel/netlink/namespace.ts'
import { NetlinkSocket } from '../../kernel/netlink/socket.ts'
import { findProgram, runProgram } from '../../kernel/program.ts'
import { checked, open, owned } from '../../kernel/sys.ts'
import { hostPid } from '../../kernel/types.ts'
import { makeMark } from '../../network-lock/mark.ts'
import { tryLock, unlock } from '../../network-lock/nftables.ts'
import type { Feature } from '../feature.ts'
import type { Ground } from '../ground.ts'

/** Messages of NETLINK_ROUTE about ids of network namespaces, and their attributes (net_namespace.h). */
const RTM_NEWNSID = 88
const RTM_GETNSID = 90
const NETNSA = { NSID: 1, PID: 2, FD: 3 } as const
/** Attributes of a link that name a network namespace or a number to have (if_link.h). */
const IFLA_NET_NS_PID = 19
const IFLA_TARGET_NETNSID = 46
const IFLA_NEW_IFINDEX = 49
const RTM_GETLINK = 18
const RTM_SETLINK = 19
/** The loopback device is the first of every namespace. */
const LOOPBACK = 1
/** struct rtgenmsg, padded. */
const ANY_FAMILY = new Uint8Array(4)
const NSID = 7

/** Within a network namespace where nothing is, another one gets an id. */
function withNamedNamespace<T>(ground: Ground, use: (socket: NetlinkSocket, fd: number) => T): T {
  using other = ground.hold(CLONE.NEWNET, () => {})
  using namespace = owned(open(`${other.proc}/ns/net`, O.RDONLY))
  using socket = new NetlinkSocket(NETLINK.ROUTE, ground.network)
  const { errno } = socket.tryRequest({
    type: RTM_NEWNSID,
    flags: 0,
    body: joinBytes([
      ANY_FAMILY,
      attributeU32(NETNSA.NSID, NSID),
      attributeU32(NETNSA.FD, namespace.fd),
    ]),
  })
  checked(-errno, 'RTM_NEWNSID')
  return use(socket, namespace.fd)
}

function askId(socket: NetlinkSocket, fd: number): string | undefined {
  const body = joinBytes([ANY_FAMILY, attributeU32(NETNSA.FD, fd)])
  const [answer] = socket.request({ type: RTM_GETNSID, flags: 0, body }, 'RTM_GETNSID')
  const id = answer && parseAttributes(answer.body, ANY_FAMILY.length).u32(NETNSA.NSID)
  return id === NSID ? undefined : `it has the id ${id}, not ${NSID}`
}

/** The loopback device of the other namespace, asked by its id. */
function askLink(socket: NetlinkSocket): void {
  const link = ifinfomsg.encode({ index: LOOPBACK })
  const body = joinBytes([link, attributeU32(IFLA_TARGET_NETNSID, NSID)])
  socket.request({ type: RTM_GETLINK, flags: 0, body }, 'RTM_GETLINK of another namespace')
}

/** A number that no link can have is refused as such, by a kernel that looks at it at all. */
function askNewIndex(ground: Ground): string | undefined {
  using socket = new NetlinkSocket(NETLINK.ROUTE, ground.network)
  const { errno } = socket.tryRequest({
    type: RTM_SETLINK,
    flags: 0,
    body: joinBytes([
      ifinfomsg.encode({ index: LOOPBACK }),
      attributeU32(IFLA_NET_NS_PID, process.pid),
      attributeU32(IFLA_NEW_IFINDEX, -1 >>> 0),
    ]),
  })
  return errno === Errno.ERANGE
    ? undefined
    : `IFLA_NEW_IFINDEX is not looked at (${errnoName(errno)})`
}

/** A lock of one connection, as a dump makes it, in the namespace where nothing is. */
function lockByNftables({ network }: Ground): string | undefined {
  const end = (port: number) => ({ address: Uint8Array.of(127, 0, 0, 1), port })
  const connection = { local: end(1), remote: end(2) }
  const mark = makeMark(hostPid(process.pid))
  if (!tryLock('CRIU-check', [connection], mark, network)) return 'there is no nf_tables'
  unlock('CRIU-check', network)
  return undefined
}

/** The programs of iptables, and their tables of before nf_tables. */
function listLegacy({ network }: Ground): string | undefined {
  const programs = ['iptables-legacy', 'iptables'].flatMap((name) => findProgram(name) ?? [])
  if (programs.length === 0) return 'no program iptables is installed'
  const works = inNetNamespace(network, () =>
    programs.some((path) => {
      using nowhere = owned(open('/dev/null', O.RDWR))
      const stdio = { stdin: nowhere.fd, stdout: nowhere.fd, stderr: nowhere.fd }
      const end = runProgram([path, '-n', '-L'], {}, stdio)
      return end.kind === 'exited' && end.code === 0
    }),
  )
  return works ? undefined : fail({ code: 'conflict', reason: 'iptables -L fails' })
}

export const networkFeatures: readonly Feature[] = [
  {
    name: 'nftables',
    need: 'extra',
    what: 'rules of nf_tables, made and removed in one transaction',
    cost: 'network namespaces with such rules cannot be restored',
    remedy: 'CONFIG_NF_TABLES and CONFIG_NF_TABLES_INET',
    capability: 'NET_ADMIN',
    probe: lockByNftables,
  },
  {
    name: 'network_lock_nftables',
    need: 'extra',
    what: 'to lock connections by nf_tables while they are saved',
    cost: 'connections are locked by iptables, which takes longer, or not at all',
    remedy: 'CONFIG_NF_TABLES and CONFIG_NF_TABLES_INET; or --network-lock iptables',
    capability: 'NET_ADMIN',
    probe: lockByNftables,
  },
  {
    name: 'has_ipt_legacy',
    need: 'extra',
    what: 'the programs of iptables',
    cost: 'connections cannot be locked by iptables (--network-lock iptables)',
    remedy: 'install iptables; nothing is lost where nf_tables is there',
    capability: 'NET_ADMIN',
    probe: listLegacy,
  },
  {
    name: 'nsid',
    need: 'extra',
    what: 'ids of network namespaces (RTM_NEWNSID, RTM_GETNSID)',
    cost: 'network namespaces that name each other cannot be dumped',
    remedy: 'Linux 4.0 with CONFIG_NET_NS',
    capability: 'SYS_ADMIN',
    probe: (ground) => withNamedNamespace(ground, askId),
  },
  {
    name: 'link_nsid',
    need: 'extra',
    what: 'links of another network namespace (IFLA_TARGET_NETNSID)',
    cost: 'network namespaces with veth pairs between them cannot be dumped',
    remedy: 'Linux 4.15 with CONFIG_NET_NS',
    capability: 'SYS_ADMIN',
    probe: (ground) => withNamedNamespace(ground, askLink),
  },
  {
    name: 'newifindex',
    need: 'extra',
    what: 'to move a link to another network namespace with a number of choice (IFLA_NEW_IFINDEX)',
    cost: 'links that were moved in from outside do not keep their number',
    remedy: 'Linux 5.13 with CONFIG_NET_NS',
    capability: 'SYS_ADMIN',
    probe: askNewIndex,
  },
]

import { O } from '../../kernel/constants/fcntl.ts'
import { SIOC } from '../../kernel/constants/ioctl.ts'
import { IPPROTO, IPV6 } from '../../kernel/constants/ip.ts'
import { NDIAG_PROTO_ALL, UDIAG_SHOW } from '../../kernel/constants/netlink.ts'
import { CLONE } from '../../kernel/constants/sched.ts'
import { AF, SHUT, SO, SOCK, SOL, TCP_STATE } from '../../kernel/constants/socket.ts'
import { TCP, TCP_QUEUE, TCP_REPAIR } from '../../kernel/constants/tcp.ts'
import { IFF, TUN } from '../../kernel/constants/tun.ts'
import { inetDiagReqV2, tcpRepairWindow } from '../../kernel/layout/inet.ts'
import { netlinkDiagReq, unixDiagMsg, unixDiagReq } from '../../kernel/layout/netlink.ts'
import { packetDiagReq } from '../../kernel/layout/packet.ts'
import { sockFilter, sockFprog } from '../../kernel/layout/ptrace.ts'
import { scratch } from '../../kernel/memory.ts'
import { ALL_STATES, dumpSockets } from '../../kernel/netlink/sock-diag.ts'
import { setInt } from '../../kernel/socket-option.ts'
import { checked, must, owned, sys } from '../../kernel/sys.ts'
import type { Result, Table } from '../../kernel/table.ts'
import type { Feature } from '../feature.ts'
import type { Ground } from '../ground.ts'

const socket = (family: number, type: number, protocol = 0) =>
  owned(must('socket', family, type | SOCK.CLOEXEC, protocol))

/** Dumps must succeed; the kernel without a family's module says ENOENT. */
function askInet(family: number, protocol: number): void {
  const idiag_states = ALL_STATES
  const request = inetDiagReqV2.encode({
    sdiag_family: family,
    sdiag_protocol: protocol,
    idiag_states,
  })
  dumpSockets(request, 'sock_diag')
}

/** A unix socket of ours, and its peer, are told of. */
function tellOfUnix(): string | undefined {
  using s = scratch()
  const pair = s.take(8)
  must('socketpair', AF.UNIX, SOCK.STREAM | SOCK.CLOEXEC, 0, pair.address)
  using one = owned(pair.view.getInt32(0, true))
  using _other = owned(pair.view.getInt32(4, true))
  const ino = inodeOf(one.fd)
  const request = unixDiagReq.encode({
    sdiag_family: AF.UNIX,
    udiag_states: ALL_STATES,
    udiag_show: UDIAG_SHOW.PEER,
  })
  const told = dumpSockets(request, 'sock_diag of unix sockets')
  const isThere = told.some(({ body }) => unixDiagMsg.decode(body).udiag_ino === ino)
  return isThere ? undefined : 'a unix socket of ours is not told of'
}

function inodeOf(fd: number): number {
  using s = scratch()
  const memory = s.take(144)
  must('fstat', fd, memory.address)
  return Number(memory.view.getBigUint64(8, true))
}

/** lo, and IFF_UP with IFF_RUNNING (net/if.h): struct ifreq. */
function loopbackUp(): Uint8Array {
  const request = Buffer.alloc(40)
  request.write('lo')
  request.writeUInt16LE(0x41, 16)
  return request
}

/** struct sockaddr_in of the loopback. */
function loopback(port: number): Uint8Array {
  const address = Buffer.alloc(16)
  address.writeUInt16LE(AF.INET, 0)
  address.writeUInt16BE(port, 2)
  address.set([127, 0, 0, 1], 4)
  return address
}

function setOption(table: Table, fd: Result, level: number, option: number, value: number): void {
  const slot = table.space(4)
  slot.view.setInt32(0, value, true)
  table.call('setsockopt', fd, level, option, slot, 4)
}

const ADDRESS_SIZE = 16

/** A connection to nobody, as a restore makes it, in a network namespace of its own. */
function repairConnection(table: Table): { readonly info: { readonly bytes: Uint8Array } } {
  const fd = table.call('socket', AF.INET, SOCK.STREAM, 0)
  table.call('ioctl', fd, SIOC.SIFFLAGS, table.data(loopbackUp()))
  setOption(table, fd, IPPROTO.TCP, TCP.REPAIR, TCP_REPAIR.ON)
  setOption(table, fd, IPPROTO.TCP, TCP.REPAIR_QUEUE, TCP_QUEUE.SEND)
  setOption(table, fd, IPPROTO.TCP, TCP.QUEUE_SEQ, 1000)
  table.call('bind', fd, table.data(loopback(1025)), ADDRESS_SIZE)
  table.call('connect', fd, table.data(loopback(1026)), ADDRESS_SIZE)
  const { size } = tcpRepairWindow
  const length = table.space(4)
  length.view.setUint32(0, size, true)
  table.call('getsockopt', fd, IPPROTO.TCP, TCP.REPAIR_WINDOW, table.space(size), length)
  const info = table.space(8)
  const room = table.space(4)
  room.view.setUint32(0, 8, true)
  table.call('getsockopt', fd, IPPROTO.TCP, TCP.INFO, info, room)
  setOption(table, fd, IPPROTO.TCP, TCP.REPAIR, TCP_REPAIR.OFF_NO_WP)
  table.call('shutdown', fd, SHUT.WR)
  return { info }
}

function repairTcp(ground: Ground): string | undefined {
  return ground.inChild(CLONE.NEWNET, (table) => {
    const { info } = repairConnection(table)
    return () => (info.bytes[0] === TCP_STATE.ESTABLISHED ? undefined : 'it does not connect')
  })
}

function fileOfSocket(ground: Ground): void {
  using unix = socket(AF.UNIX, SOCK.DGRAM)
  const address = Buffer.concat([
    Buffer.from([AF.UNIX, 0]),
    Buffer.from(`${ground.directory}/socket\0`),
  ])
  using s = scratch()
  must('bind', unix.fd, s.put(address).address, address.length)
  using _file = owned(checked(sys('ioctl', unix.fd, SIOC.UNIXFILE), 'ioctl(SIOCUNIXFILE)'))
}

/** BPF_RET with the whole packet. */
function readFilter(): string | undefined {
  using s = scratch()
  using unix = socket(AF.UNIX, SOCK.DGRAM)
  const filter = s.put(sockFilter.encode({ code: 6, k: 0xffff }))
  const program = s.put(sockFprog.encode({ len: 1, filter: filter.address }))
  const { size } = sockFprog
  must('setsockopt', unix.fd, SOL.SOCKET, SO.ATTACH_FILTER, program.address, size)
  const length = s.take(4)
  must('getsockopt', unix.fd, SOL.SOCKET, SO.GET_FILTER, 0, length.address)
  return length.view.getUint32(0, true) === 1 ? undefined : 'SO_GET_FILTER does not tell of it'
}

export const socketFeatures: readonly Feature[] = [
  {
    name: 'sock_diag',
    need: 'required',
    what: 'what sockets there are and who their peers are (NETLINK_SOCK_DIAG: unix, TCP, UDP)',
    cost: 'programs with sockets cannot be dumped',
    remedy: 'CONFIG_UNIX_DIAG, CONFIG_INET_DIAG, CONFIG_INET_TCP_DIAG, CONFIG_INET_UDP_DIAG',
    probe() {
      const why = tellOfUnix()
      if (why !== undefined) return why
      for (const protocol of [IPPROTO.TCP, IPPROTO.UDP]) askInet(AF.INET, protocol)
      return undefined
    },
  },
  {
    name: 'sock_diag_ipv6',
    need: 'extra',
    what: 'sockets of IPv6 (NETLINK_SOCK_DIAG)',
    cost: 'programs with sockets of IPv6 cannot be dumped',
    remedy: 'CONFIG_IPV6',
    probe() {
      for (const protocol of [IPPROTO.TCP, IPPROTO.UDP]) askInet(AF.INET6, protocol)
    },
  },
  {
    name: 'sock_diag_netlink',
    need: 'extra',
    what: 'netlink sockets (NETLINK_SOCK_DIAG)',
    cost: 'programs with netlink sockets (systemd, udev, NetworkManager) cannot be dumped',
    remedy: 'Linux 3.10 with CONFIG_NETLINK_DIAG',
    probe() {
      const request = { sdiag_family: AF.NETLINK, sdiag_protocol: NDIAG_PROTO_ALL }
      dumpSockets(netlinkDiagReq.encode(request), 'sock_diag of netlink sockets')
    },
  },
  {
    name: 'sock_diag_packet',
    need: 'extra',
    what: 'packet sockets (NETLINK_SOCK_DIAG)',
    cost: 'programs with packet sockets (DHCP, tcpdump) cannot be dumped',
    remedy: 'Linux 3.7 with CONFIG_PACKET_DIAG',
    probe() {
      dumpSockets(packetDiagReq.encode({ sdiag_family: AF.PACKET }), 'sock_diag of packet sockets')
    },
  },
  {
    name: 'net_diag_raw',
    need: 'named',
    what: 'raw sockets (NETLINK_SOCK_DIAG)',
    cost: 'nothing for this program, which reads /proc/net/raw; upstream dumps no raw sockets then',
    remedy: 'Linux 4.10 with CONFIG_INET_RAW_DIAG',
    probe: () => askInet(AF.INET, IPPROTO.RAW),
  },
  {
    name: 'tcp_half_closed',
    need: 'extra',
    what: 'connections of TCP made from what was saved, half closed ones too (TCP_REPAIR)',
    cost: 'established connections cannot be restored (--tcp-established)',
    remedy: 'Linux 4.8 with CONFIG_CHECKPOINT_RESTORE',
    capability: 'NET_ADMIN',
    probe: repairTcp,
  },
  {
    name: 'socket_filters',
    need: 'extra',
    what: 'filters of sockets (SO_GET_FILTER)',
    cost: 'sockets with a filter cannot be dumped',
    remedy: 'Linux 3.8',
    probe: readFilter,
  },
  {
    name: 'sockopt_buf_lock',
    need: 'extra',
    what: 'whether a socket has buffers of a fixed size (SO_BUF_LOCK)',
    cost: 'restored sockets have fixed buffers, and no longer adapt to the network',
    remedy: 'Linux 5.15',
    probe() {
      using one = socket(AF.INET, SOCK.STREAM)
      setInt(one.fd, SOL.SOCKET, SO.BUF_LOCK, 0, 'SO_BUF_LOCK')
    },
  },
  {
    name: 'ipv6_freebind',
    need: 'extra',
    what: 'to bind to an address of IPv6 that is not there yet (IPV6_FREEBIND)',
    cost: 'sockets that are bound to such an address cannot be restored',
    remedy: 'Linux 4.15 with CONFIG_IPV6',
    probe() {
      using one = socket(AF.INET6, SOCK.STREAM)
      setInt(one.fd, SOL.IPV6, IPV6.FREEBIND, 1, 'IPV6_FREEBIND')
    },
  },
  {
    name: 'sk_ns',
    need: 'extra',
    what: 'the network namespace of a socket (SIOCGSKNS)',
    cost: 'sockets of another network namespace than that of their program cannot be dumped',
    remedy: 'Linux 4.10',
    capability: 'NET_ADMIN',
    probe() {
      using one = socket(AF.UNIX, SOCK.STREAM)
      using _namespace = owned(checked(sys('ioctl', one.fd, SIOC.GSKNS), 'ioctl(SIOCGSKNS)'))
    },
  },
  {
    name: 'sk_unix_file',
    need: 'extra',
    what: 'the file of a bound unix socket (SIOCUNIXFILE)',
    cost: 'unix sockets whose path is hidden or relative may not be dumped',
    remedy: 'Linux 4.11',
    capability: 'NET_ADMIN',
    probe: fileOfSocket,
  },
  {
    name: 'tun',
    need: 'extra',
    what: 'TUN and TAP devices (/dev/net/tun)',
    cost: 'programs with such devices (VPNs, virtual machines) cannot be restored',
    remedy: 'CONFIG_TUN, and the device file /dev/net/tun',
    capability: 'NET_ADMIN',
    probe: makeTun,
  },
]

/** struct ifreq: a name, and IFF_TUN without packet information. */
function makeTun(ground: Ground): void {
  const request = Buffer.alloc(40)
  request.write('criu-check')
  request.writeUInt16LE(IFF.TUN | IFF.NO_PI, 16)
  ground.inChild(CLONE.NEWNET, (table) => {
    const fd = table.call('open', table.string('/dev/net/tun'), O.RDWR)
    table.call('ioctl', fd, TUN.SETIFF, table.data(request))
  })
}

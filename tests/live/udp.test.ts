import { liveTest, refusalTest } from '../harness/live.ts'

const network = true

liveTest('UDP sockets without a name have none', 'udp unbound', { network })
liveTest('UDP sockets stay bound, and talk', 'udp bound', { network })
liveTest('over IPv6 too, with IPV6_V6ONLY and without', 'udp bound6', { network })
liveTest('connected UDP sockets keep their peers', 'udp peers', { network })
liveTest('a disconnect forgets what the kernel chose, and that alone', 'udp disconnects', {
  network,
})
liveTest('IPv4 by sockets of IPv6 goes on', 'udp mapped', { network })
liveTest('link-local addresses keep their device', 'udp link-local', { network })
liveTest('UDP sockets stay shut down', 'udp half-closed', { network })
liveTest('options of IPv4 stay set', 'udp ip-options', { network })
liveTest('options of IPv6 stay set', 'udp ipv6-options', { network })
liveTest('options of UDP sockets stay set', 'udp socket-options', { network })
liveTest('UDP_SEGMENT, UDP_GRO, UDP_CORK and checksums of UDP', 'udp udp-options', { network })
liveTest('UDP-Lite keeps what its checksums cover', 'udp lite', { network })
liveTest('a filter goes on to choose datagrams, not those that lay there before', 'udp filter', {
  network,
})
liveTest('sockets that share a port go on to share it', 'udp reuse', { network })
liveTest('UDP sockets shared by two processes are the same ones', 'udp two-processes', { network })
liveTest('multicast groups stay joined', 'udp groups', { network })
liveTest('with sources included and excluded', 'udp sources', { network })
liveTest('groups of IPv6, and of IPv4 on a socket of IPv6', 'udp groups6', { network })
liveTest('datagrams not yet read come with their senders, in their order', 'udp unread', {
  network,
})
liveTest('an empty datagram is one', 'udp unread-empty', { network })
liveTest('datagrams of IPv6 not yet read, and of IPv4 among them', 'udp unread6', { network })
liveTest('the largest datagram, and a queue that is full', 'udp unread-big', { network })
liveTest('destination, TTL and TOS of a datagram not yet read', 'udp unread-headers', { network })
liveTest('a link-local sender comes by its device', 'udp unread-link-local', { network })
liveTest('datagrams of UDP-Lite not yet read', 'udp unread-lite', { network })
liveTest('a socket bound to a device has its datagrams', 'udp unread-device', { network })
liveTest('an offset for MSG_PEEK stays within its datagram', 'udp peek-offset', { network })
// The epoll shows the inode of what it watches, and that of a socket is new.
liveTest('an epoll goes on to watch UDP sockets', 'udp watched', { network, allow: 'tfd:' })
liveTest('a UDP socket goes on to signal its owner', 'udp async', { network })
liveTest('two hundred sockets, each with a datagram', 'udp many', { network })
refusalTest('data held back by UDP_CORK is refused', 'udp corked', ['not yet sent .UDP_CORK'], {
  network,
})
refusalTest('errors not yet read are refused', 'udp errors', ['fd 4.*error', 'fd 6.*error'], {
  network,
})
refusalTest('a tunnel is refused', 'udp tunnel', ['a tunnel .UDP_ENCAP'], { network })
refusalTest(
  'a datagram to a group, where that is asked for, is refused',
  'udp group-datagram',
  ['to a group not yet read'],
  { network },
)
refusalTest(
  'a program that chooses among sockets is refused',
  'udp chosen',
  ['SO_ATTACH_REUSEPORT_EBPF'],
  {
    network: true,
  },
)

import { liveTest, refusalTest } from '../harness/live.ts'

const network = true

liveTest('a packet socket that is not bound receives from every device', 'packet unbound', {
  network,
})
liveTest('packet sockets stay bound to device and protocol', 'packet devices', { network })
liveTest('packet sockets of every protocol', 'packet every-protocol', { network })
liveTest('packet sockets of the old type SOCK_PACKET', 'packet old-type', { network })
liveTest('options of packet sockets stay set', 'packet options', { network })
liveTest('virtio headers of both sizes stand before frames', 'packet virtio', { network })
liveTest('a filter goes on to choose frames', 'packet filter', { network })
liveTest('memberships stay, one asked for twice too', 'packet members', { network })
liveTest('a fanout group goes on to share frames out', 'packet fanout', { network })
liveTest('rings of all versions keep their size', 'packet rings', { network })
liveTest('a packet socket under two descriptors is one', 'packet shared', { network })
refusalTest('frames not yet read are refused', 'packet unread', ['with packets not yet read'], {
  network,
})
refusalTest('a fanout program is refused', 'packet fanout-program', ['PACKET_FANOUT_DATA'], {
  network,
})
refusalTest('a device that is gone is refused', 'packet device-gone', ['a device that is gone'], {
  network,
})
refusalTest('a ring that is mapped is refused', 'packet mapped-ring', ['mapped ring'], { network })

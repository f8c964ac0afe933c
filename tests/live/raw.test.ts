import { liveTest, refusalTest } from '../harness/live.ts'

const network = true

liveTest('raw sockets keep their names and peers', 'raw names', { network })
liveTest('raw sockets of IPv6 too', 'raw names6', { network })
liveTest('options of raw sockets stay set', 'raw options', { network })
liveTest('checksums and headers of raw sockets of IPv6', 'raw options6', { network })
liveTest('ICMP filters go on to choose messages', 'raw filters', { network })
liveTest('raw sockets stay in their multicast groups', 'raw groups', { network })
liveTest('sockets for echo requests keep their identifiers', 'raw ping', { network })
refusalTest('packets not yet read are refused', 'raw unread', ['with packets not yet read'], {
  network,
})

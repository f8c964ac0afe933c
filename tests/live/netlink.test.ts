import { liveTest, refusalTest } from '../harness/live.ts'

const network = true

liveTest('netlink sockets without a port have none', 'netlink unbound', { network })
liveTest('netlink sockets keep their ports, given or chosen', 'netlink ports', { network })
liveTest('a netlink socket stays in its groups', 'netlink groups', { network })
liveTest('groups beyond the first 32 too, with or without a port', 'netlink high-groups', {
  network,
})
liveTest('options of netlink sockets stay set', 'netlink options', { network })
liveTest('a filter goes on to drop messages', 'netlink filter', { network })
liveTest('a connected netlink socket keeps its destination', 'netlink connected', { network })
liveTest('the kernel goes on to answer requests', 'netlink talk', { network })
liveTest('messages to a group go on to come', 'netlink notified', { network })
liveTest('a netlink socket shared by two processes is one', 'netlink shared', { network })
refusalTest('messages not yet read are refused', 'netlink unread', ['with messages not yet read'], {
  network,
})
refusalTest('an overrun not yet read is refused', 'netlink overrun', ['not yet read'], { network })
refusalTest(
  'a socket that is told of processes is refused',
  'netlink process-events',
  ['told of'],
  {
    network,
  },
)
refusalTest('a socket that serves a queue is refused', 'netlink queue', ['serves NFQUEUE 12'], {
  network,
})

import { liveTest, refusalTest } from '../harness/live.ts'

const network = true

liveTest('a descriptor of /dev/net/tun that is not attached', 'tun unattached', { network })
liveTest('a persistent TUN device is attached to again', 'tun persistent', { network })
liveTest('two queues of a persistent TAP device, one detached', 'tun queues', { network })
liveTest('a TUN device is made again, with addresses, routes and settings', 'tun fleeting', {
  network,
})
liveTest('a TAP device of two queues, with a neighbour and an address of its own', 'tun tap', {
  network,
})
liveTest('packets come through a device that was made again', 'tun traffic', { network })
refusalTest(
  'a TAP device in a bridge',
  'tun bridged',
  ['process [0-9]+ .*fd 100\\b.*TUN/TAP device cr[0-9]+ that is part of a bridge'],
  { network },
)

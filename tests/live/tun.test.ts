import { liveTest, refusalTest } from '../harness/live.ts'

const network = true

liveTest('a descriptor of /dev/net/tun that is not attached', 'tun unattached', { network })
liveTest('a persistent TUN device is attached to again', 'tun persistent', { network })
liveTest('two queues of a persistent TAP device, one detached', 'tun queues', { network })
refusalTest(
  'a TUN device that goes with its program',
  'tun fleeting',
  ['process [0-9]+ .*fd 100\\b.*TUN/TAP device cr[0-9]+ that is not persistent'],
  { network },
)

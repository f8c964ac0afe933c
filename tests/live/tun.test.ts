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
for (const [what, flags] of [
  ['a TUN device', '0x1001'],
  ['a TUN device that tells protocols, with headers for offloads', '0x4001'],
  ['a TAP device', '0x1002'],
  ['a TUN device that may have more queues', '0x1101'],
] as const)
  liveTest(`packets not yet read of ${what}`, 'tun queued', { args: [flags], network })
refusalTest(
  'a TAP device in a bridge',
  'tun bridged',
  ['process [0-9]+ .*fd 100\\b.*TUN/TAP device cr[0-9]+ that is part of a bridge'],
  { network },
)

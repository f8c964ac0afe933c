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

/** Version of the ring, frames read before, frames unread. */
for (const [version, before, unread] of [
  ['0', '0', '0'],
  ['0', '37', '9'],
  ['1', '5', '3'],
  ['1', '100', '0'],
  ['1', '0', '16'],
] as const)
  liveTest(
    `a mapped ring of version ${version}: ${before} frames read, ${unread} unread`,
    'packet ring-frames',
    { args: [version, before, unread], network },
  )
for (const before of ['0', '100'])
  liveTest(`a mapped ring of blocks, ${before} packets read`, 'packet ring-blocks', {
    args: [before],
    network,
  })
for (const [before, unread] of [
  ['0', '3'],
  ['50', '15'],
] as const)
  liveTest(
    `blocks not yet read, and one being filled, after ${before} packets`,
    'packet ring-blocks-unread',
    { args: [before, unread], network },
  )
for (const version of ['1', '2'])
  liveTest(
    `a ring of version ${version} mapped three times, read by a child`,
    'packet ring-shared',
    { args: [version], network },
  )
for (const [version, before] of [
  ['0', '21'],
  ['1', '0'],
  ['2', '5'],
] as const)
  liveTest(`a ring of version ${version} to send from, after ${before}`, 'packet ring-send', {
    args: [version, before],
    network,
  })
refusalTest('a ring that is mapped in part', 'packet ring-part', ['whose ring is mapped in part'], {
  network,
})
refusalTest('a ring whose socket is closed', 'packet ring-closed', ['descriptor is closed'], {
  network,
})

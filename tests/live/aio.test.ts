import { liveTest, refusalTest } from '../harness/live.ts'

liveTest('an AIO context goes on to complete requests', 'aio used')
liveTest('reads of a file by AIO', 'aio file')
liveTest('AIO writes with O_DIRECT, under way at the dump', 'aio direct')
for (const [before, unread] of [
  ['0', '0'],
  ['0', '5'],
  ['100', '0'],
  ['100', '20'],
  ['120', '30'],
  ['1000', '100'],
] as const)
  liveTest(`an AIO ring with ${unread} events unread, ${before} read`, 'aio unread', {
    args: [before, unread],
  })
liveTest('a full AIO ring takes no more', 'aio full')
liveTest('five AIO contexts, one removed: the others keep address and number', 'aio several')
liveTest('a thread waits for AIO events, another makes them', 'aio waited')
liveTest('AIO completions are told by an eventfd', 'aio told', {
  allow: ' (eventfd-count|eventfd-id): ',
})
liveTest('an AIO ring that was moved and protected', 'aio moved')
liveTest('a child has an AIO context of its own', 'aio children')
refusalTest('the copy that a fork makes of an AIO ring', 'aio copied', [
  'process [0-9]+ .*memory .*ring of an AIO context of another process',
])
refusalTest('a part of an AIO ring', 'aio half', ['process [0-9]+ .*memory .*part of an AIO ring'])

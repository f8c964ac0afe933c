import { liveTest, refusalTest } from '../harness/live.ts'

// Policy, nice, priority, flags: as sched_setattr(2) takes them.
for (const [title, ...args] of [
  ['a nice process', '0', '11', '0', '0'],
  ['a process with raised priority', '0', '-5', '0', '0'],
  ['SCHED_FIFO', '1', '0', '3', '0'],
  ['SCHED_RR', '2', '0', '40', '0'],
  ['SCHED_BATCH', '3', '4', '0', '0'],
  ['SCHED_IDLE', '5', '0', '0', '0'],
  ['a policy that is reset on fork', '1', '0', '2', '1'],
] as const)
  liveTest(title, 'scheduling policy', { args })
// The images have no place for runtime, deadline and period.
refusalTest('SCHED_DEADLINE is refused', 'scheduling deadline', ['SCHED_DEADLINE'])
liveTest('a time slice of its own', 'scheduling slice')
liveTest('affinity to one CPU', 'scheduling affinity')
liveTest('I/O priority: best effort', 'scheduling io-priority', { args: [String((2 << 13) | 6)] })
liveTest('I/O priority: real time', 'scheduling io-priority', { args: [String((1 << 13) | 2)] })
liveTest('I/O priority: idle', 'scheduling io-priority', { args: [String(3 << 13)] })
liveTest('each thread has its own policy, affinity and I/O priority', 'scheduling per-thread')
liveTest('children have their own policies', 'scheduling per-process')

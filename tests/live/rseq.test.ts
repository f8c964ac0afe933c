import { liveTest } from '../harness/live.ts'

liveTest('the areas of process, thread and child stay registered', 'rseq registered')
liveTest('an area with a signature of its own, and a thread without any', 'rseq own')
liveTest('a thread inside of a critical section is aborted', 'rseq critical-section', {
  allow: 'SigPnd|ShdPnd',
})
liveTest('counters of each CPU lose no increment', 'rseq per-cpu')

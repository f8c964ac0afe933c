import { liveTest } from '../harness/live.ts'

for (const [what, mode] of [
  ['nanosleep', 'nanosleep'],
  ['a relative clock_nanosleep', 'clock-relative'],
  ['an absolute clock_nanosleep', 'clock-absolute'],
  ['poll', 'poll-timeout'],
  ['select', 'select-timeout'],
  ['ppoll', 'ppoll-timeout'],
  ['a futex wait', 'futex-timeout'],
  ['a futex wait until a time', 'futex-absolute'],
  ['sigtimedwait', 'sigtimedwait'],
  ['a wait for a condition variable', 'condition'],
] as const)
  liveTest(`${what} with a timeout goes on with what is left`, `restart ${mode}`)

for (const [what, mode] of [
  ['read from an empty pipe', 'read'],
  ['write to a full pipe', 'write'],
  ['poll', 'poll'],
  ['select', 'select'],
  ['a futex wait', 'futex'],
  ['sigsuspend', 'sigsuspend'],
  ['pause', 'pause'],
  ['waitid', 'waitid'],
  ['sigwaitinfo', 'sigwaitinfo'],
  ['open of a fifo without a writer', 'open-fifo'],
] as const)
  liveTest(`${what} without a timeout goes on until it is woken`, `restart ${mode}`)

liveTest('sigsuspend gives back the mask that it replaced', 'restart sigsuspend-mask')
liveTest('ppoll gives back the mask that it replaced', 'restart ppoll-mask')

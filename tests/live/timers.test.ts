import { liveTest } from '../harness/live.ts'

for (const [name, which] of [
  ['real', '0'],
  ['virtual', '1'],
  ['profiling', '2'],
] as const) {
  liveTest(`the ${name} interval timer keeps what is left of it`, 'timers interval-remaining', {
    args: [which],
  })
  liveTest(`the ${name} interval timer goes on ticking`, 'timers interval-ticks', {
    args: [which],
    allow: 'SigPnd|ShdPnd',
  })
}
liveTest('an alarm goes off once', 'timers one-shot')
liveTest('POSIX timers keep their ids, with gaps', 'timers ids')
liveTest('POSIX timers of six clocks', 'timers clocks')
liveTest('a POSIX timer goes on ticking with its signal and value', 'timers signals-with-value', {
  allow: 'SigPnd|ShdPnd',
})
liveTest('spent and unset POSIX timers stay disarmed', 'timers disarmed')
liveTest('a POSIX timer whose signal is blocked counts overruns', 'timers overrun')
liveTest('the overrun of the last delivery', 'timers last-overrun')
liveTest('timers that signal a thread', 'timers thread-timers', { allow: 'SigPnd|ShdPnd' })
liveTest("a timer on a thread's CPU clock", 'timers cpu-timers', { allow: 'SigPnd|ShdPnd' })
liveTest('a POSIX timer with an absolute time', 'timers absolute')
liveTest('timers of parent and child', 'timers of-child')

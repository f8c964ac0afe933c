import { liveTest } from '../harness/live.ts'

liveTest('the actions of all signals: handler, flags, mask', 'signals actions')
liveTest('parent and child have different actions', 'signals actions-of-child')
liveTest('blocked signals of each thread', 'signals masks')
liveTest('pending signals of the process and of a thread', 'signals pending')
liveTest('queued real-time signals: order and values', 'signals queue')
liveTest('queued real-time signals of one thread', 'signals thread-queue')
liveTest('every byte of a siginfo', 'signals siginfo-bytes')
liveTest('pending signals that the kernel sent: child, timer, pipe', 'signals from-kernel')
liveTest('alternate stacks of process and thread', 'signals alternate-stack')
liveTest('an alternate stack with SS_AUTODISARM', 'signals autodisarm')
liveTest('a process inside a handler on its alternate stack', 'signals within-handler')
liveTest('no signal of a steady stream is lost or doubled', 'signals none-is-lost', {
  allow: 'SigPnd|ShdPnd',
})
liveTest('ignored SIGCHLD goes on to leave no zombies', 'signals children-ignored', {
  allow: '^([89]|[0-9]{2,})([. ]|$)|shares',
})
liveTest('SA_RESETHAND, used and unused', 'signals one-shot')
liveTest('a signal pending for a stopped child', 'signals pending-for-stopped')
liveTest(
  'handlers for every signal but those of job control, as programs in Go have them',
  'signals all-handled',
)

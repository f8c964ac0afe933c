import { liveTest } from '../harness/live.ts'

/**
 * What runs on between two looks: time, counters in use, ids of eventfds. The targets of an epoll have
 * another order, and pipes other inode numbers: the subject compares them itself.
 */
const allow = ' (it_value|ticks|eventfd-count|eventfd-id|tfd): '

liveTest('eventfds keep their counters, from zero to full', 'events counter', {
  allow: ' eventfd-id: ',
})
liveTest('an eventfd that is a semaphore stays one', 'events semaphore', {
  allow: ' eventfd-id: ',
})
liveTest('parent and child talk through eventfds', 'events shared', { allow })
liveTest('a signalfd keeps its mask, and reads what was pending', 'events signals')
liveTest('timerfds of all clocks keep time and interval', 'events clocks', { allow })
liveTest('timerfds that were set to a moment', 'events moments', { allow })
liveTest('timerfds that are off, have fired, or have ticks to be read', 'events ticks', { allow })
liveTest('a periodic timerfd that nobody reads counts on', 'events unread', { allow })
liveTest('a periodic timerfd goes on to wake its reader', 'events periodic', { allow })
liveTest('an epoll reports what is ready, with its data', 'events level', { allow })
liveTest('an edge that was reported does not come again', 'events edge-taken', { allow })
liveTest('an edge that waits to be reported is not lost', 'events edge-waiting', { allow })
liveTest('one-shot targets of an epoll, armed and fired', 'events one-shot', { allow })
liveTest('exclusive and waking targets of two epolls', 'events exclusive', { allow })
liveTest('targets whose numbers were closed or taken by other files', 'events numbers', { allow })
liveTest('epolls that watch epolls', 'events nested', { allow })
liveTest('a child waits in an epoll of its parent', 'events inherited', { allow })
liveTest('an epoll whose target has another number in the child', 'events apart', { allow })
liveTest('an epoll of the parent watches a file of the child', 'events elsewhere', { allow })
liveTest('an epoll waits for the signals of its own process', 'events epoll-signals', { allow })
liveTest('a pending signal is reported through signalfd and epoll', 'events pending-signal', {
  allow,
})
liveTest('an event loop goes on', 'events loop', { allow })
liveTest('an epoll with a thousand targets', 'events many', { allow })

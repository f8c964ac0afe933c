import { type LiveOptions, refusalTest, liveTest as test } from '../harness/live.ts'

/** A queue is made anew: its inode has another number, which an epoll shows as well. */
const allow = 'fd [0-9]+ (ino:|tfd:)'
const liveTest = (title: string, subject: string, options: LiveOptions = {}): void =>
  test(title, subject, { allow, ...options })

liveTest('a queue keeps its messages in order of priority and age', 'mqueue content')
liveTest('a queue keeps its sizes, mode, owner and O_NONBLOCK', 'mqueue attributes')
liveTest('an unlinked queue and the one that has its name since', 'mqueue unlinked')
liveTest('three descriptions of one queue', 'mqueue descriptions')
liveTest('a receiver that waits goes on', 'mqueue between')
liveTest('a full queue and a sender that waits lose nothing', 'mqueue full')
liveTest('queues watched by epoll', 'mqueue watched')
liveTest('a queue opened as a file of its file system', 'mqueue by-path')
liveTest('thirty queues keep each its own messages', 'mqueue many')
refusalTest('a registration of mq_notify', 'mqueue registered', [
  'fd [0-9]+: POSIX message queue /registered with a registration of process [0-9]+ .mq_notify',
])
refusalTest('a queue that a process outside has open', 'mqueue outside', [
  'fd [0-9]+: POSIX message queue /outside, which process [0-9]+ outside the tree has open',
])

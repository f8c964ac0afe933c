import { liveTest, refusalTest } from '../harness/live.ts'

liveTest('a pidfd of the process itself, and its flags', 'pidfd self')
liveTest('a parent waits for its child by a pidfd', 'pidfd child')
liveTest('a child has a pidfd of its parent', 'pidfd parent')
liveTest('a pidfd of a zombie, reaped by it', 'pidfd zombie')
liveTest('pidfds of processes that are gone tell how they ended', 'pidfd reaped')
liveTest('two pidfds of one process that is gone', 'pidfd reaped-twice')
liveTest('pidfds of threads', 'pidfd threads')
liveTest('an epoll waits for the end of a child', 'pidfd watched', { allow: ' tfd: ' })
liveTest('a pidfd in common of two processes', 'pidfd shared')
refusalTest('a pidfd of a process outside of the tree', 'pidfd foreign', [
  'process [0-9]+ .*fd 100\\b.*pidfd of process [0-9]+, outside of the tree',
])

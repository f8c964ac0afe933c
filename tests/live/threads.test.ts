import { liveTest } from '../harness/live.ts'

liveTest('three threads with their own data', 'threads several', { args: ['3'] })
liveTest('a hundred threads', 'threads several', { args: ['100'] })
liveTest('threads in parent and children', 'threads in-several-processes', { args: ['4'] })
liveTest('each thread has a name', 'threads names')
liveTest('the address where a thread clears its id', 'threads tid-address')
liveTest('a robust mutex tells of a thread that dies after restore', 'threads robust')
liveTest('a robust mutex tells of a process that dies after restore', 'threads robust-process')
liveTest('threads take turns by a condition variable', 'threads turns')
liveTest('a mutex with priority inheritance, waited for', 'threads inheritance')
liveTest('threads can be made and joined after restore', 'threads new-threads')
liveTest('a thread that has ended is joined after restore', 'threads unjoined')
liveTest('a process with threads forks and executes after restore', 'threads forks-and-execs', {
  allow: '^([89]|[0-9]{2,})[. ]|shares',
})

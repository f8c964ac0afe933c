import { liveTest } from '../harness/live.ts'

/** Snapshots of a tree whose members come and go hold lines of whoever lives at that moment. */
const FLEETING = '^([89]|[0-9]{2,})([. ]|$)|shares|Threads'

liveTest('a parent, a child and a grandchild', 'trees generations', { args: ['3'] })
liveTest('thirty generations', 'trees generations', { args: ['30'] })
liveTest('fifty children', 'trees siblings', { args: ['50'] })
liveTest('children in sessions and groups of their own', 'trees sessions')
liveTest('a child in the group of its brother', 'trees joined-group')
liveTest('a session whose leader is dead', 'trees dead-session-leader')
liveTest('a process group whose leader is dead', 'trees dead-group-leader')
liveTest('zombies keep their exit codes and signals', 'trees zombies')
liveTest('a zombie that leads a session with a living member', 'trees zombie-leader')
for (const [name, number] of [
  ['SIGSTOP', '19'],
  ['SIGTSTP', '20'],
  ['SIGTTIN', '21'],
] as const)
  liveTest(`a child stopped by ${name} stays stopped`, 'trees stopped', { args: [number] })
liveTest('a stop that the parent has not asked for yet', 'trees stop-unreported')
liveTest('a stopped child with threads', 'trees stopped-threads')
liveTest('a subreaper and the orphan that it adopted', 'trees adopted')
liveTest('a subreaper goes on to adopt', 'trees subreaper-later')
liveTest('parent-death signals are kept', 'trees death-signal')
liveTest(
  'a parent-death signal comes when the parent dies after restore',
  'trees death-signal-comes',
)
liveTest('a process that forks all the time', 'trees forking', { allow: FLEETING })
liveTest('children that fork and reap all the time', 'trees forking-deep', {
  allow: '^[0-9]{2,}([. ]|$)|shares',
})
liveTest('a process that makes threads all the time', 'trees threading', {
  allow: '^7\\.([89]|[0-9]{2,}) |Threads|SigBlk',
})
liveTest('children with another exit signal, or none', 'trees exit-signal')
liveTest('a child made with CLONE_PARENT', 'trees clone-parent')
liveTest('a parent that sits in wait4', 'trees waiting')
liveTest('a child of a thread', 'trees child-of-thread')
liveTest('pids that are not in the order of creation', 'trees pids-out-of-order')

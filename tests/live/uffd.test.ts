import { liveTest, refusalTest } from '../harness/live.ts'

liveTest('missing pages go on to be asked for', 'uffd missing')
liveTest('pages that are there, zero, or missing', 'uffd mixed')
liveTest('pages protected from writing', 'uffd protected')
liveTest('protection of pages that are not there', 'uffd protected-nothing')
liveTest('missing and protected pages in one mapping', 'uffd both-modes')
liveTest('poisoned pages', 'uffd poisoned')
liveTest('a signal in place of an event', 'uffd by-signal')
liveTest('minor faults of shared memory', 'uffd shared-memory')
liveTest('two userfaultfds in one process', 'uffd two')
liveTest('another process answers the faults', 'uffd remote')
liveTest('userfaultfds without registered memory', 'uffd idle')
refusalTest('memory registered with a userfaultfd that its process has closed', 'uffd given-away', [
  'process [0-9]+ .*memory .*registered with a userfaultfd that the process does not have open',
])

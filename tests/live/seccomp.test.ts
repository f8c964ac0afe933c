import { liveTest } from '../harness/live.ts'

liveTest('a filter goes on to deny', 'seccomp filter')
liveTest('a filter of root, without no_new_privs', 'seccomp filter-of-root')
liveTest('ten filters on top of each other', 'seccomp stacked')
liveTest('a filter that kills for nearly everything', 'seccomp narrow')
liveTest('a filter that raises SIGSYS', 'seccomp trap')
liveTest('a filter that looks at arguments', 'seccomp by-argument')
liveTest('strict mode', 'seccomp strict')
liveTest('each thread has its own filter, or none', 'seccomp per-thread')
liveTest('filters synchronised over all threads', 'seccomp synchronised')
liveTest('a child has its parent’s filter and one of its own', 'seccomp inherited')
liveTest('a filter of a plain user', 'seccomp of-user')

import { liveTest } from '../harness/live.ts'

liveTest('a program of 32 bits: data and memory', 'compat32 plain')
liveTest('all registers of 32 bits', 'compat32 registers')
liveTest('x87 and SSE of 32 bits', 'compat32 vectors')
liveTest('threads of 32 bits with their thread areas', 'compat32 threads')
liveTest('signals of 32 bits: actions, stack, mask, pending', 'compat32 signals')
liveTest('interrupted calls of 32 bits go on', 'compat32 interrupted')
liveTest('timers of 32 bits', 'compat32 timers')
liveTest('file and pipe of 32 bits', 'compat32 files')
liveTest('the vDSO of 32 bits tells the time', 'compat32 vdso')
liveTest('robust list of 32 bits', 'compat32 robust')
liveTest('a parent of 32 bits and a child of 64', 'compat32 with-wide-child')
liveTest('a parent of 64 bits and children of 32', 'mixed narrow-children')

import { liveTest } from '../harness/live.ts'

liveTest('personality: no address randomisation', 'task personality', { args: ['40000'] })
liveTest('personality: read implies execute', 'task personality', { args: ['400000'] })
liveTest('personality: an old kernel version and sticky timeouts', 'task personality', {
  args: ['4020000'],
})
liveTest('transparent huge pages off for the process', 'task huge-page-flag')
liveTest('timer slack of process, thread and child', 'task timer-slack')
liveTest('oom_score_adj of parent and child', 'task oom')
liveTest('a command name of fifteen letters', 'task comm', { args: ['fifteen-letters'] })
liveTest('a command name with brackets and spaces', 'task comm', { args: ['a) R (b c'] })
liveTest('the command line', 'task command-line', { args: ['with space', '', 'ünicode', '-v'] })
liveTest('the environment', 'task environment')
liveTest('a command line that was written over', 'task title')
liveTest('argument and environment areas that were moved', 'task moved-areas')
liveTest('the auxiliary vector', 'task auxiliary')
liveTest('the link to the program', 'task exe-link')
liveTest('umask', 'task umask')
liveTest('membarrier registrations', 'task membarrier')
liveTest('membarrier for restartable sequences', 'task membarrier-rseq')

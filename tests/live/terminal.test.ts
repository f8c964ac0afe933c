import { liveTest, refusalTest } from '../harness/live.ts'

refusalTest(
  'a session whose leader is outside, without --shell-job',
  'terminal shared',
  ['session|shell-job'],
  {
    terminal: true,
  },
)
const shellJob = { terminal: true, dumpArgs: '--shell-job', restoreArgs: '--shell-job' }
liveTest('a job on a terminal shared with its shell', 'terminal shared', shellJob)
liveTest('a job in the foreground, in a group of its own', 'terminal foreground', shellJob)
liveTest('a pipeline of a shell job', 'terminal pipeline', shellJob)

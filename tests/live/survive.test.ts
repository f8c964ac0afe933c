import { surviveTest } from '../harness/live.ts'

surviveTest('a process survives the death of its dump', 'files position', { kills: 60 })
surviveTest('threads survive it', 'threads several', { args: ['3'], mappingMayStay: true })
surviveTest('parent and children survive it', 'trees generations', { args: ['3'] })
surviveTest('a process that sits in sigsuspend survives it', 'restart sigsuspend-mask')
surviveTest('a process that reads an empty pipe survives it', 'restart read', { kills: 30 })
surviveTest('a pipeline loses no byte by it', 'pipes pipeline', { kills: 40 })
surviveTest('a process that is sent signals all the time loses none', 'signals none-is-lost')
surviveTest('a process with a seccomp filter survives it', 'seccomp filter', { kills: 30 })
surviveTest('a stopped child stays stopped', 'trees stopped', {
  args: ['19'],
  kills: 30,
  stoppedTasks: true,
})
surviveTest('connections survive it, and are not locked', 'tcp connected4', {
  kills: 40,
  network: true,
  dumpArgs: '--tcp-established',
  restoreArgs: '--tcp-established',
})
surviveTest(
  'a process with handlers for all signals but those of job control survives it',
  'signals all-handled',
  {
    mappingMayStay: true,
  },
)
surviveTest('messages of POSIX queues survive it', 'mqueue many', { kills: 40 })
surviveTest('a reader of a mapped ring of packets survives it', 'packet ring-frames', {
  args: ['1', '100', '0'],
  kills: 40,
  network: true,
})
surviveTest('a reader of blocks of packets survives it', 'packet ring-blocks', {
  args: ['100'],
  kills: 30,
  network: true,
})

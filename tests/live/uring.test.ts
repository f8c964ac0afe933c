import { liveTest, refusalTest } from '../harness/live.ts'

/** The positions of a ring in use, and the ids of eventfds. */
const allow =
  ' (SqHead|SqTail|CachedSqHead|CqHead|CqTail|CachedCqTail|SQEs|CQEs|[0-9]+|eventfd-count|eventfd-id): '

/** Entries, flags of io_uring_setup, entries for completions, operations before. */
for (const [title, ...args] of [
  ['never used', '8', '0', '0', '0'],
  ['after a thousand operations', '8', '0', '0', '1003'],
  ['of one entry', '1', '0', '0', '5'],
  ['with room for many completions', '16', '0', '1024', '100'],
  ['with COOP_TASKRUN, TASKRUN_FLAG, SUBMIT_ALL', '8', '0x380', '0', '20'],
  ['of one thread (SINGLE_ISSUER)', '8', '0x1000', '0', '20'],
  ['that completes when it is asked (DEFER_TASKRUN)', '8', '0x3000', '0', '20'],
  ['without an array of indices (NO_SQARRAY), small', '8', '0x10000', '0', '20'],
  ['without an array of indices, never used', '8', '0x10000', '0', '0'],
  ['without an array of indices, large', '1024', '0x10000', '0', '20'],
  ['with larger requests (SQE128)', '64', '0x400', '0', '100'],
  ['with larger completions (CQE32)', '256', '0x800', '0', '100'],
] as const)
  liveTest(`an io_uring ${title}`, 'uring used', { args, allow })

for (const [entries, before, unread] of [
  ['8', '0', '3'],
  ['8', '1000', '3'],
  ['8', '1000', '16'],
  ['64', '77', '100'],
] as const)
  liveTest(`${unread} completions unread after ${before}, ring of ${entries}`, 'uring unread', {
    args: [entries, before, unread],
  })
liveTest('requests that are not submitted yet', 'uring pending')
liveTest('reads of a file by io_uring', 'uring files', { allow })
liveTest('reads of an eventfd by io_uring', 'uring sockets', { allow })
liveTest('registered files of an io_uring, some slots empty', 'uring registered-files', { allow })
liveTest('registered buffers of an io_uring', 'uring registered-buffers', { allow })
liveTest('an eventfd is told of completions', 'uring told', { allow })
liveTest('an io_uring is ready to be polled', 'uring polled', { allow })
liveTest('an io_uring that is not enabled yet', 'uring disabled')
liveTest('parent and child share an io_uring', 'uring shared', { allow })
liveTest('six io_urings, mapped in many ways', 'uring mappings', { allow })
liveTest('an io_uring after two million operations', 'uring far', { allow })
// The worker stands among the threads, until it has been idle for some seconds.
liveTest('an io_uring with a worker thread', 'uring worker', {
  allow: `${allow}|^7\\.(8|9|[1-9][0-9]+) | status Threads `,
})

liveTest('files, and an eventfd, of an io_uring of one thread', 'uring deferred', { allow })
liveTest('the io_uring of a thread of its own', 'uring thread', { allow })

const at = (what: string): string => `process [0-9]+ .*fd [0-9]+\\b.*io_uring ${what}`
refusalTest('an io_uring with a poll under way', 'uring under-way', [
  at('with 1 requests that wait'),
])
refusalTest('an io_uring with a timeout under way', 'uring timeout', [
  at('with 1 requests under way'),
])
for (const [name, flags] of [
  ['SQPOLL', '2'],
  ['IOPOLL', '1'],
] as const)
  refusalTest(`an io_uring with ${name}`, 'uring flagged', [at(`.*${name}`)], {
    args: [flags],
    allow: ' (SqThread|SqThreadCpu|SqTotalTime|SqWorkTime): ',
  })
refusalTest('an io_uring with provided buffers', 'uring provided', [at('.*group 4321')], {
  args: ['4321', '0'],
})
refusalTest(
  'an io_uring of one thread, with provided buffers',
  'uring provided',
  [at('.*group 21')],
  {
    args: ['21', '0x3000'],
  },
)
refusalTest('an io_uring with restrictions', 'uring restricted', [at('.*restrictions')])
refusalTest('an io_uring whose descriptor is closed', 'uring closed', [
  'memory .*io_uring whose descriptor is closed',
])
refusalTest('a registered descriptor of an io_uring', 'uring number', ['registered descriptor'])
refusalTest('a registered file that is closed', 'uring lost-file', [at('.*registered file.*lost')])

import { expect, test } from 'bun:test'
import { CriuError, type ErrorDetail } from '../../../src/errors/error.ts'
import { crErrno } from '../../../src/errors/exit.ts'
import { sentence, sentenceOf } from '../../../src/errors/sentence.ts'

const sentences: readonly (readonly [ErrorDetail, string, number | undefined])[] = [
  [
    { code: 'option', option: '-t', reason: 'needs a pid', remedy: 'give one' },
    '-t needs a pid; give one',
    56,
  ],
  [
    { code: 'image', file: 'core-7.img', entry: 0, reason: 'ends early' },
    'core-7.img, entry 0: ends early',
    undefined,
  ],
  [
    { code: 'syscall', operation: 'open', errno: 13, pid: 7, path: '/x', kind: 'a fifo' },
    'open for a fifo on /x in process 7 failed: Permission denied (EACCES); run criu as root, with all capabilities',
    13,
  ],
  [
    { code: 'syscall', operation: 'clone3', errno: 17, remedy: 'wait' },
    'clone3 failed: File exists (EEXIST); wait',
    17,
  ],
  [{ code: 'vanished', pid: 9, reason: 'it exited' }, 'process 9 is gone: it exited', 3],
  [
    { code: 'conflict', reason: 'the pid is taken', pid: 7, remedy: 'end that process' },
    'the pid is taken (pid 7); end that process',
    17,
  ],
  [{ code: 'conflict', reason: 'this CPU has no AVX-512' }, 'this CPU has no AVX-512', undefined],
  [
    { code: 'tracee', pid: 7, expected: 'a syscall exit', found: 'SIGSEGV' },
    'process 7 should have come to a syscall exit, but: SIGSEGV; the log at -v4 shows what led there',
    undefined,
  ],
  [
    { code: 'timeout', operation: 'collecting the tree', seconds: 10 },
    'collecting the tree took longer than 10 seconds; allow more time with --timeout',
    110,
  ],
  [
    { code: 'script', script: '/x.sh', hook: 'post-dump', reason: 'exited with 1' },
    'action script /x.sh failed at post-dump: exited with 1; run it by hand with CRTOOLS_SCRIPT_ACTION set to see why',
    undefined,
  ],
  [{ code: 'client', reason: 'hung up' }, 'the client of the RPC hung up', undefined],
  [
    { code: 'internal', reason: 'no row' },
    'criu itself is at fault: no row; this is a bug in criu-ts: please report it with the log at -v4',
    undefined,
  ],
]

test.each(sentences)('%p', (detail, text, errno) => {
  expect(sentenceOf(detail)).toBe(text)
  expect(crErrno(new CriuError(detail))).toBe(errno)
})

test('obstacles are listed by process, each with what to do', () => {
  const obstacles = [
    { pid: 8, comm: 'b', where: 'task', what: 'is traced', remedy: 'detach the debugger' },
    { pid: 7, comm: 'a', where: 'fd 5', what: 'socket (AF_VSOCK)' },
  ]
  expect(sentenceOf({ code: 'obstacles', obstacles })).toBe(
    [
      'the tree holds 2 things that cannot be dumped; it was left as it is:',
      '  process 7 (a), fd 5: socket (AF_VSOCK)',
      '  process 8 (b), task: is traced; detach the debugger',
    ].join('\n'),
  )
  expect(crErrno(new CriuError({ code: 'obstacles', obstacles }))).toBe(95)
})

test('a foreign error is told too', () => {
  expect(sentence(new TypeError('x is undefined'))).toContain('TypeError: x is undefined')
  expect(crErrno(new TypeError('x'))).toBeUndefined()
})

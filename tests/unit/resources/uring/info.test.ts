import { expect, test } from 'bun:test'
import { parseFdInfo } from '../../../../src/kernel/proc/fdinfo.ts'
import { escaped, uringInfoOf } from '../../../../src/resources/uring/info.ts'

/** As Linux 6.18 prints it. */
const TEXT = `pos:	0
flags:	02000002
mnt_id:	17
ino:	8073173
SqMask:	0x7
SqHead:	3
SqTail:	4
CachedSqHead:	3
CqMask:	0xf
CqHead:	0
CqTail:	2
CachedCqTail:	2
SQEs:	1
    0: opcode:NOP, fd:0, flags:10, off:0, addr:0x0, rw_flags:0x0, buf_index:0 user_data:5
CQEs:	2
    0: user_data:6, res:0, flag:0
    1: user_data:5, res:0, flag:0
SqThread:	-1
SqThreadCpu:	-1
SqTotalTime:	0
SqWorkTime:	0
UserFiles:	4
    0: /tmp/a\\040file
    2: pipe:[8073174]
UserBufs:	3
    0: 0x559438afe2b0/8192
    1: <none>
    2: 0x559438b002c0/100
PollList:
  op=6, task_works=0
CqOverflowList:
NAPI:	disabled
`

test('positions, registered objects, and what is under way', () => {
  expect(uringInfoOf(parseFdInfo(TEXT))).toEqual({
    sqEntries: 8,
    cqEntries: 16,
    sqHead: 3,
    cqHead: 0,
    cqTail: 2,
    hasThread: false,
    hasNapi: false,
    files: [
      { slot: 0, path: '/tmp/a\\040file' },
      { slot: 2, path: 'pipe:[8073174]' },
    ],
    filesCount: 4,
    buffers: [
      { address: 0x559438afe2b0n, length: 8192 },
      undefined,
      { address: 0x559438b002c0n, length: 100 },
    ],
    polls: 1,
    overflown: 0,
  })
})

test('a kernel that does not tell positions', () => {
  expect(uringInfoOf(parseFdInfo('pos:\t0\nflags:\t02\nUserFiles:\t0\n'))).toBeUndefined()
})

test('a path as fdinfo has it', () => {
  expect(escaped('/tmp/a file\\b')).toBe('/tmp/a\\040file\\134b')
})

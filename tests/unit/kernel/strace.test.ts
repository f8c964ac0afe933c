import { describe, expect, test } from 'bun:test'
import { formatCall, formatResult } from '../../../src/kernel/strace.ts'

const u64 = (n: number): bigint => BigInt.asUintN(64, BigInt(n))

describe('a call is printed as strace does', () => {
  test.each([
    [
      'mmap',
      [0n, 4096n, 3n, 0x22n, u64(-1), 0n],
      'mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, NULL)',
    ],
    [
      'openat',
      [u64(-100), 0x1000n, 0x80002n, 0n],
      'openat(AT_FDCWD, "/dev/null", O_RDWR|O_CLOEXEC, 0)',
    ],
    ['openat', [5n, 0x2000n, 0n, 0o644n], 'openat(5, 0x2000, O_RDONLY, 0644)'],
    ['prctl', [15n, 0x1000n, 0n, 0n, 0n], 'prctl(PR_SET_NAME, 0x1000, 0, 0, 0)'],
    ['madvise', [0x7000n, 4096n, 102n], 'madvise(0x7000, 4096, MADV_GUARD_INSTALL)'],
    ['fcntl', [3n, 4n, 0x802n], 'fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK)'],
    ['rt_sigaction', [15n, 0n, 0x7000n, 8n], 'rt_sigaction(SIGTERM, NULL, 0x7000, 8)'],
    ['unshare', [0x20020000n], 'unshare(CLONE_NEWNS|CLONE_NEWPID)'],
    ['clone', [0x11n, 0n, 0n, 0n, 0n], 'clone(SIGCHLD, NULL, NULL, NULL, NULL)'],
    ['mknodat', [3n, 0x1000n, 0o10644n, 0n], 'mknodat(3, "/dev/null", S_IFIFO|0644, 0)'],
    ['getpid', [0n, 0n], 'getpid()'],
    ['acct', [0x55n, 1n], 'acct(0x55, 1)'],
  ])('%s', (name, args, expected) => {
    const readString = (addr: bigint) => (addr === 0x1000n ? '/dev/null' : undefined)
    expect(formatCall(name, args, readString)).toBe(expected)
  })

  test('bytes of a string that are not printable', () => {
    expect(formatCall('chdir', [1n], () => 'a"\n\xff')).toBe('chdir("a\\"\\n\\377")')
  })
})

test('a result is printed as strace does', () => {
  expect(formatResult(3n)).toBe('3')
  expect(formatResult(0x7f0000000000n)).toBe('0x7f0000000000')
  expect(formatResult(-2n)).toBe('-1 ENOENT (No such file or directory)')
  expect(formatResult(u64(-13))).toBe('-1 EACCES (Permission denied)')
})

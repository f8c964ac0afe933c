import { describe, expect, test } from 'bun:test'
import { CLONE } from '../../../src/kernel/constants/sched.ts'
import { SIG } from '../../../src/kernel/constants/signals.ts'
import { cloneArgs } from '../../../src/kernel/layout/sched.ts'
import { scratch } from '../../../src/kernel/memory.ts'
import { checked, spawnTable, sys } from '../../../src/kernel/sys.ts'
import { Table } from '../../../src/kernel/table.ts'
import { type HostPid, hostPid } from '../../../src/kernel/types.ts'
import {
  decodeStatus,
  describeStop,
  type Stop,
  tryWaitStop,
  WNOHANG,
  waitAny,
  waitStop,
} from '../../../src/kernel/wait.ts'

describe('statuses of wait4', () => {
  const cases: [string, number, Stop][] = [
    ['exit code', 3 << 8, { kind: 'exited', code: 3 }],
    ['exit code 255', 0xff00, { kind: 'exited', code: 255 }],
    ['killed', 9, { kind: 'killed', signal: 9 }],
    ['killed with a core', 11 | 0x80, { kind: 'killed', signal: 11 }],
    ['signal delivery', 0x7f | (SIG.USR1 << 8), { kind: 'signal', signal: SIG.USR1 }],
    ['a plain SIGTRAP', 0x7f | (5 << 8), { kind: 'signal', signal: 5 }],
    ['system call', 0x7f | (0x85 << 8), { kind: 'syscall' }],
    ['interrupt', 0x7f | (5 << 8) | (128 << 16), { kind: 'interrupt' }],
    ['group-stop', 0x7f | (SIG.STOP << 8) | (128 << 16), { kind: 'group-stop', signal: SIG.STOP }],
    ['clone event', 0x7f | (5 << 8) | (3 << 16), { kind: 'event', event: 3 }],
    ['exit event', 0x7f | (5 << 8) | (6 << 16), { kind: 'event', event: 6 }],
    ['real-time signal', 0x7f | (64 << 8), { kind: 'signal', signal: 64 }],
  ]
  test.each(cases)('%s', (_, status, stop) => {
    expect(decodeStatus(status)).toEqual(stop)
    expect(describeStop(stop)).not.toBe('')
  })
})

/** A child that runs one call. */
function child(build: (table: Table) => void): HostPid {
  using s = scratch()
  const table = new Table(s.take(1024))
  build(table)
  const args = cloneArgs.encode({ exit_signal: BigInt(SIG.CHLD) })
  return hostPid(checked(spawnTable(args, table), 'clone3'))
}

describe('children of ours', () => {
  test('the end of one is told once', () => {
    const pid = child((table) => table.call('exit_group', 12))
    expect(waitAny(pid, 0)).toEqual({ pid, stop: { kind: 'exited', code: 12 } })
    expect(() => waitStop(pid)).toThrow(
      expect.objectContaining({
        detail: expect.objectContaining({ operation: 'wait4', errno: 10 }),
      }),
    )
  })

  test('nothing is told of one that still runs; its death then is', () => {
    const pid = child((table) => table.call('pause'))
    expect(tryWaitStop(pid)).toBeUndefined()
    expect(waitAny(pid, WNOHANG)).toBeUndefined()
    sys('kill', pid, SIG.KILL)
    expect(waitStop(pid)).toEqual({ kind: 'killed', signal: SIG.KILL })
  })

  test('a child without an exit signal is waited for too', () => {
    using s = scratch()
    const table = new Table(s.take(1024))
    table.call('exit', 4)
    const args = cloneArgs.encode({ flags: CLONE.FS })
    const pid = hostPid(checked(spawnTable(args, table), 'clone3'))
    expect(waitStop(pid)).toEqual({ kind: 'exited', code: 4 })
  })
})

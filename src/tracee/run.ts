import { syscallName } from '../arch/x86_64/syscalls.ts'
import { syscall32Name } from '../arch/x86_64/syscalls32.ts'
import { fail } from '../errors/error.ts'
import type { Table } from '../kernel/table.ts'
import type { HostPid } from '../kernel/types.ts'
import type { Log } from '../log/log.ts'

/** Anything that has a table of its own and can run it: our process, or a task that we hold. */
export interface Runner {
  /** 0 for our own process. */
  readonly pid: HostPid
  /** A fresh, empty table in the runner's memory; only one at a time is in use. */
  table(): Table
  /** Runs it. A call that failed and may not fail ends in a CriuError. */
  run(table: Table, what?: string): void
}

/** What a run that ended early is reported as. */
export function checkRun(table: Table, pid: HostPid, what?: string): void {
  const failure = table.failure()
  if (!failure) return
  const name = nameOf(failure) ?? `system call ${failure.nr}`
  const args = failure.args.map((arg) => (arg > 4096n ? `0x${arg.toString(16)}` : `${arg}`))
  fail({
    code: 'syscall',
    operation: `${name}(${args.join(', ')})${what ? `, to ${what}` : ''}`,
    errno: failure.errno,
    ...(pid ? { pid } : {}),
  })
}

const nameOf = ({ nr, i386 }: { nr: number; i386: boolean }): string | undefined =>
  i386 ? `${syscall32Name(nr)}_i386` : syscallName(nr)

// require, not import: its tables of names are loaded where somebody reads them.
const strace = () => require('../kernel/strace.ts') as typeof import('../kernel/strace.ts')

/** At the highest verbosity each call of a table is written as strace would print it. */
export function traceRun(table: Table, pid: HostPid, log: Log): void {
  if (log.verbosity < 4) return
  const { formatCall, formatResult } = strace()
  const readString = (address: bigint): string | undefined => {
    const offset = Number(address - table.base)
    if (offset < 0 || offset >= table.memory.bytes.length) return undefined
    const end = table.memory.bytes.indexOf(0, offset)
    return Buffer.from(table.memory.bytes.subarray(offset, end)).toString('latin1')
  }
  for (let i = 0; i < table.count; i++) {
    const { nr, args, result, i386 } = table.record(i)
    if (result === undefined) return
    const name = nameOf({ nr, i386 })
    const call = name ? formatCall(name, args, readString) : `syscall_${nr}(${args.join(', ')})`
    log.debug(() => `[pid ${pid}] ${call} = ${formatResult(result)}`)
  }
}

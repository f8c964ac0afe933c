import { PR } from '../../kernel/constants/prctl.ts'
import { PTRACE, PTRACE_O } from '../../kernel/constants/ptrace.ts'
import { SECCOMP, SECCOMP_RET } from '../../kernel/constants/seccomp.ts'
import { sockFilter, sockFprog } from '../../kernel/layout/ptrace.ts'
import { scratch } from '../../kernel/memory.ts'
import { interrupt, mustPtrace } from '../../kernel/ptrace.ts'
import type { Table } from '../../kernel/table.ts'
import { waitStop } from '../../kernel/wait.ts'
import type { Feature } from '../feature.ts'
import type { Ground } from '../ground.ts'

/** BPF_RET | BPF_K. */
const RETURN = 6

function installFilter(table: Table): void {
  const filter = table.data(sockFilter.encode({ code: RETURN, k: SECCOMP_RET.ALLOW }))
  const program = table.data(sockFprog.encode({ len: 1, filter: filter.address }))
  table.call('prctl', PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0)
  table.call('seccomp', SECCOMP.SET_MODE_FILTER, 0, program)
}

/** A child with a filter, held as a dump holds it. */
function withFiltered<T>(ground: Ground, use: (pid: Parameters<typeof interrupt>[0]) => T): T {
  using child = ground.hold(0n, installFilter)
  const { pid } = child
  mustPtrace('ptrace(SEIZE)', PTRACE.SEIZE, pid)
  interrupt(pid)
  waitStop(pid)
  return use(pid)
}

function suspend(ground: Ground): void {
  withFiltered(ground, (pid) =>
    mustPtrace('PTRACE_O_SUSPEND_SECCOMP', PTRACE.SETOPTIONS, pid, 0, PTRACE_O.SUSPEND_SECCOMP),
  )
}

function readFilter(ground: Ground): string | undefined {
  return withFiltered(ground, (pid) => {
    using s = scratch()
    const { address } = s.take(sockFilter.size)
    const count = mustPtrace(
      'PTRACE_SECCOMP_GET_FILTER',
      PTRACE.SECCOMP_GET_FILTER,
      pid,
      0,
      address,
    )
    return count === 1 ? undefined : `a filter of one instruction is told as ${count}`
  })
}

export const seccompFeatures: readonly Feature[] = [
  {
    name: 'seccomp_suspend',
    need: 'extra',
    what: 'to suspend the seccomp filters of a process (PTRACE_O_SUSPEND_SECCOMP)',
    cost: 'programs with filters (browsers, containers, sshd) may be killed by a dump',
    remedy: 'Linux 4.3 with CONFIG_CHECKPOINT_RESTORE',
    capability: 'SYS_ADMIN',
    probe: suspend,
  },
  {
    name: 'seccomp_filters',
    need: 'extra',
    what: 'the seccomp filters of a process (PTRACE_SECCOMP_GET_FILTER)',
    cost: 'programs with filters (browsers, containers, sshd) cannot be dumped',
    remedy: 'Linux 4.4 with CONFIG_CHECKPOINT_RESTORE',
    capability: 'SYS_ADMIN',
    probe: readFilter,
  },
]

import { PR } from '../kernel/constants/prctl.ts'
import { SIG } from '../kernel/constants/signals.ts'
import { cloneArgs } from '../kernel/layout/sched.ts'
import { scratch } from '../kernel/memory.ts'
import { checked, spawnTable, sys } from '../kernel/sys.ts'
import { Table } from '../kernel/table.ts'
import { type HostPid, hostPid } from '../kernel/types.ts'
import { waitForEnd } from '../tracee/release.ts'

/** A record for each call of the child. */
const TABLE_SIZE = 1024

/**
 * Does with a child of ours what is then done with others: code that runs for the first time takes some
 * five times as long, and nobody else has to stand still for that. That it fails is of no interest.
 */
export function rehearse<T>(action: (child: HostPid) => T): T | undefined {
  using s = scratch()
  const table = new Table(s.take(TABLE_SIZE))
  table.call('prctl', PR.SET_PDEATHSIG, SIG.KILL)
  table.attempt('pause')
  const args = cloneArgs.encode({ exit_signal: BigInt(SIG.CHLD) })
  const child = hostPid(checked(spawnTable(args, table), 'clone3'))
  try {
    return action(child)
  } catch {
    return undefined // What matters is told where it is done in earnest.
  } finally {
    sys('kill', child, SIG.KILL)
    waitForEnd(child)
  }
}

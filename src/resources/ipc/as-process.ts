import { PR } from '../../kernel/constants/prctl.ts'
import { CLONE } from '../../kernel/constants/sched.ts'
import { Errno } from '../../kernel/errno.ts'
import { cloneArgs } from '../../kernel/layout/sched.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, spawnTable, sys } from '../../kernel/sys.ts'
import { Table } from '../../kernel/table.ts'
import { hostPid } from '../../kernel/types.ts'
import { waitStop } from '../../kernel/wait.ts'

/** Whom a process of a moment is to look like. */
export interface Guise {
  /** Where it is taken, another one does. */
  readonly pid: number
  readonly uid?: number
  readonly gid?: number
}

/** SECBIT_NO_SETUID_FIXUP (linux/securebits.h): capabilities stay when the user changes. */
const NO_SETUID_FIXUP = 1 << 2
const KEEP = 0xffff_ffff
/** Records and setting up; what the calls' data need comes on top. */
const TABLE_SIZE = 64 * 1024

/**
 * Runs calls in a process of a moment that has a pid, a user and a group of others: for what the kernel
 * notes who did it (creator, last user) and nothing sets. It shares our memory, so results are here.
 */
export function runAs(guise: Guise, build: (table: Table) => void, dataSize = 0): Table {
  using s = scratch()
  const table = new Table(s.take(TABLE_SIZE + dataSize))
  const { uid, gid } = guise
  if (uid !== undefined || gid !== undefined) {
    table.call('prctl', PR.SET_SECUREBITS, NO_SETUID_FIXUP)
    table.call('setresgid', KEEP, gid ?? KEEP, KEEP)
    table.call('setresuid', KEEP, uid ?? KEEP, KEEP)
  }
  build(table)
  // A change of user in shared memory takes the mark away by which a process's own /proc is its own.
  const dumpable = sys('prctl', PR.GET_DUMPABLE)
  const pid = spawnAs(guise.pid, table)
  waitStop(hostPid(pid))
  if (dumpable === 1) sys('prctl', PR.SET_DUMPABLE, 1)
  return table
}

function spawnAs(pid: number, table: Table): number {
  using s = scratch()
  const flags = CLONE.VM | CLONE.VFORK
  const wanted = s.take(4)
  wanted.view.setInt32(0, pid, true)
  const chosen = { flags, set_tid: wanted.address, set_tid_size: 1n }
  const result = pid > 0 ? spawnTable(cloneArgs.encode(chosen), table) : -Errno.EINVAL
  if (result !== -Errno.EEXIST && result !== -Errno.EINVAL)
    return checked(result, 'clone3 of a process of a moment')
  return checked(spawnTable(cloneArgs.encode({ flags }), table), 'clone3 of a process of a moment')
}

import { CLONE } from '../../kernel/constants/sched.ts'
import { WAIT_KIND } from '../../kernel/constants/wait.ts'
import { Errno } from '../../kernel/errno.ts'
import { capData, capHeader, cloneArgs, encodeAll } from '../../kernel/layout/index.ts'
import { scratch } from '../../kernel/memory.ts'
import { intBytes } from '../../kernel/socket-option.ts'
import { checked, must, spawnTable } from '../../kernel/sys.ts'
import { Table } from '../../kernel/table.ts'
import type { Credentials } from './unix-fields.ts'

/** linux/capability.h, _LINUX_CAPABILITY_VERSION_3. */
const CAPABILITY_VERSION = 0x20080522
const UNCHANGED = -1

/** A child of ours runs a table on our own descriptors and memory; directories are its own. */
export function runInChild(add: (table: Table) => void, room: number, operation: string): void {
  runChild(add, room, operation, [])
}

/**
 * As {@link runInChild}, by a process with these ids, which the kernel then notes for SO_PEERCRED. A
 * pid that somebody has cannot be taken: false, and nothing was done.
 */
export function runAs(
  who: Credentials,
  add: (table: Table) => void,
  room: number,
  operation: string,
): boolean {
  const build = (table: Table): void => {
    becomeIds(who, table)
    add(table)
  }
  return runChild(
    build,
    room + 1024 + who.groups.length * 4,
    operation,
    who.pid > 0 ? [who.pid] : [],
  )
}

function runChild(
  add: (table: Table) => void,
  room: number,
  operation: string,
  pids: readonly number[],
): boolean {
  using s = scratch()
  const table = new Table(s.takeDirty(room))
  add(table)
  const setTid = pids[0] === undefined ? 0n : s.put(intBytes(pids[0])).address
  const args = cloneArgs.encode({
    flags: CLONE.VM | CLONE.VFORK | CLONE.FILES,
    set_tid: setTid,
    set_tid_size: BigInt(pids.length),
  })
  const pid = spawnTable(args, table)
  if (pid === -Errno.EEXIST) return false
  checked(pid, `clone3 of a helper that is to ${operation}`)
  must('wait4', pid, 0, WAIT_KIND.ALL, 0)
  const failure = table.failure()
  if (failure) checked(-failure.errno, operation)
  return true
}

/** Effective ids alone: with the others it stays free to reach every file, as we are. */
function becomeIds({ uid, gid, groups }: Credentials, table: Table): void {
  const header = table.data(capHeader.encode({ version: CAPABILITY_VERSION, pid: 0 }))
  const capabilities = table.data(encodeAll(capData, [capData.zero(), capData.zero()]))
  table.call('capget', header, capabilities)
  const list = Buffer.alloc(groups.length * 4)
  for (const [i, group] of groups.entries()) list.writeUInt32LE(group, i * 4)
  table.call('setgroups', groups.length, table.data(list))
  if (gid !== 0) table.call('setresgid', UNCHANGED, gid, UNCHANGED)
  if (uid !== 0) table.call('setresuid', UNCHANGED, uid, UNCHANGED)
  if (uid !== 0) table.call('capset', header, capabilities)
}

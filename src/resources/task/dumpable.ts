import { fail } from '../../errors/error.ts'
import { PR } from '../../kernel/constants/prctl.ts'
import { readProcFile } from '../../kernel/proc/read.ts'
import type { Table } from '../../kernel/table.ts'

/** SUID_DUMP_ROOT: dumped by root alone; only the kernel sets it, never prctl. */
const ROOT_ONLY = 2

/**
 * Whether the process may be core-dumped and traced. Of the whole process, but each change of a
 * thread's ids resets it, so that every thread sets it anew. The value 2 comes of a change of ids
 * alone, where sysctl fs.suid_dumpable is 2 (fs/exec.c, kernel/cred.c): `fsuid` is changed to and fro.
 */
export function placeDumpable(dumpable: number | undefined, table: Table, fsuid?: number): void {
  if (dumpable === undefined) return
  if (dumpable !== ROOT_ONLY) {
    table.call('prctl', PR.SET_DUMPABLE, dumpable)
    return
  }
  if (Number(readProcFile('/proc/sys/fs/suid_dumpable')) !== ROOT_ONLY)
    fail({
      code: 'conflict',
      reason: 'a process that only root may dump, which this system does not know',
      remedy: 'sysctl fs.suid_dumpable=2',
    })
  if (fsuid === undefined) return
  table.call('setfsuid', fsuid === 1 ? 2 : 1)
  table.call('setfsuid', fsuid)
}

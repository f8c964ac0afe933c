import { readPidMax } from '../kernel/proc/system.ts'
import { type NsPid, nsPid } from '../kernel/types.ts'
import type { RestoreModel } from '../resources/restore-model.ts'

/** Pids below are kept for daemons once the kernel has been around (RESERVED_PIDS). */
const RESERVED = 300

/** Pids for helpers, which no task of the images needs; some may be taken by other processes. */
export function* freePids({ tasks }: RestoreModel): Iterable<NsPid> {
  const needed = new Set(tasks.flatMap(({ threads }) => threads.map(({ nsTid }) => nsTid)))
  for (let pid = readPidMax('/proc') - 1; pid > RESERVED; pid--)
    if (!needed.has(nsPid(pid))) yield nsPid(pid)
}

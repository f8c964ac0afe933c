import { fail } from '../errors/error.ts'
import { readSync } from '../kernel/fs.ts'
import type { Mapping } from '../kernel/proc/maps.ts'
import type { HostPid } from '../kernel/types.ts'
import { elfEnd } from './elf-end.ts'

/**
 * The bytes behind the vDSO's content, where nothing of it runs: behind its last section and the table
 * of sections, as its header tells. They are zero, but for code that a dump left there when it was
 * killed; that code has ended by now.
 */
export function vdsoTail(maps: readonly Mapping[], mem: number, pid: HostPid) {
  const vdso = maps.find((mapping) => mapping.path === '[vdso]')
  if (!vdso)
    return fail({
      code: 'conflict',
      pid,
      reason: 'the task has no vDSO, whose tail our code needs',
    })
  const bytes = new Uint8Array(Number(vdso.end - vdso.start))
  readSync(mem, bytes, 0, bytes.length, Number(vdso.start))
  return { start: vdso.start + BigInt(elfEnd(bytes)), end: vdso.end as bigint }
}

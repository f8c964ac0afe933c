import { closeSync, openSync, readSync } from 'node:fs'
import type { Registers } from '../arch/x86_64/registers.ts'
import { readMaps } from '../kernel/proc/maps.ts'
import type { HostPid } from '../kernel/types.ts'
import { elfEnd } from './elf-end.ts'

/** More than all our code takes in the tail of a vDSO. */
const NEAR = 4096n

/**
 * Is this thread the helper of a dump that was killed, and so none of the process's own? On its way
 * home it may wait for a moment, and in a process that was stopped by a signal it is stopped as well.
 * It runs in the tail of the vDSO, with its control block, also there, in r15
 * (arch/x86_64/infection.ts).
 */
export function isForsakenHelper(pid: HostPid, registers: Registers): boolean {
  const rip = registers.get('rip')
  const control = registers.get('r15')
  if (rip - control > NEAR || control - rip > NEAR) return false
  const vdso = readMaps(`/proc/${pid}`).find(({ path }) => path === '[vdso]')
  if (!vdso || rip < vdso.start || rip >= vdso.end) return false
  const bytes = new Uint8Array(Number(vdso.end - vdso.start))
  const mem = openSync(`/proc/${pid}/mem`, 'r')
  try {
    readSync(mem, bytes, 0, bytes.length, Number(vdso.start))
  } finally {
    closeSync(mem)
  }
  const end = vdso.start + BigInt(elfEnd(bytes))
  return rip >= end && control >= end && control < vdso.end
}

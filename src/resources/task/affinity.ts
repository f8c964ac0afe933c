import { fail } from '../../errors/error.ts'
import { Errno } from '../../kernel/errno.ts'
import { scratch } from '../../kernel/memory.ts'
import { tryReadProcFile } from '../../kernel/proc/read.ts'
import { checked, sys } from '../../kernel/sys.ts'
import type { HostPid } from '../../kernel/types.ts'
import { getAffinity, pinTo } from '../../tracee/pin.ts'

/** CPUs that a thread was restricted to; undefined where it may use all that run. */
export function savedAffinity(tid: HostPid): Uint8Array | undefined {
  const mask = getAffinity(tid)
  const has = (cpu: number) => ((mask[cpu >> 3] ?? 0) >> (cpu & 7)) & 1
  return onlineCpus().every(has) ? undefined : mask
}

/** Restricts a thread again; without a mask it may use all, whatever our own CPUs are. */
export function placeAffinity(tid: HostPid, mask: Uint8Array | undefined): void {
  if (!mask) {
    pinTo(tid, undefined)
    return
  }
  using s = scratch()
  const result = sys('sched_setaffinity', tid, mask.length, s.put(mask).address)
  if (result === -Errno.EINVAL)
    fail({
      code: 'conflict',
      pid: tid,
      reason: 'none of the CPUs that it was restricted to is usable here',
      remedy: 'allow these CPUs in the cpuset of the restore, or restore where they exist',
    })
  checked(result, 'sched_setaffinity', { pid: tid })
}

/** Numbers of the CPUs that run, of a list such as `0-3,8`. */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    })
}

const onlineCpus = (): number[] =>
  parseCpuList(tryReadProcFile('/sys/devices/system/cpu/online') ?? '')

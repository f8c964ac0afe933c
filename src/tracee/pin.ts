import { scratch } from '../kernel/memory.ts'
import { sys } from '../kernel/sys.ts'
import type { HostPid } from '../kernel/types.ts'

const MASK_SIZE = 1024 / 8

/** The CPUs that a task may run on, as sched_getaffinity gives them. 0: ourselves. */
export function getAffinity(tid: HostPid | 0): Uint8Array {
  using s = scratch()
  const memory = s.take(MASK_SIZE)
  const length = sys('sched_getaffinity', tid, MASK_SIZE, memory.address)
  return memory.bytes.slice(0, Math.max(length, 8))
}

/** How many CPUs are in a mask. */
export function countCpus(mask: Uint8Array): number {
  let count = 0
  for (const byte of mask) for (let bits = byte; bits !== 0; bits &= bits - 1) count++
  return count
}

/** Sets the CPUs; where that is not allowed the task only runs elsewhere, which is slower. */
export function setAffinity(tid: HostPid | 0, mask: Uint8Array): void {
  using s = scratch()
  sys('sched_setaffinity', tid, mask.length, s.put(mask).address)
}

/** Keeps a task on one CPU; undefined lets it run on all. */
export function pinTo(tid: HostPid | 0, cpu: number | undefined): void {
  const mask = new Uint8Array(MASK_SIZE)
  if (cpu === undefined) mask.fill(0xff)
  else mask[cpu >> 3] = 1 << (cpu & 7)
  setAffinity(tid, mask)
}

/** The CPU that we run on. */
export function currentCpu(): number {
  using s = scratch()
  const memory = s.take(8)
  sys('getcpu', memory.address, 0, 0)
  return memory.view.getUint32(0, true)
}

/**
 * Keeps ourselves on the CPU that we run on, until disposed. With a tracee on the same CPU an exchange
 * costs 11 to 18 µs, otherwise 70 to 260: the cost is the switch between idle CPUs.
 */
export function pinOurselves(): { readonly cpu: number } & Disposable {
  const before = getAffinity(0)
  const cpu = currentCpu()
  pinTo(0, cpu)
  return { cpu, [Symbol.dispose]: () => setAffinity(0, before) }
}

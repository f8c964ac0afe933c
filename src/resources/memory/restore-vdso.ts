import {
  isCompatVdso,
  isInVsyscall,
  jumpSize,
  jumpTo,
  vdsoFunctions,
} from '../../arch/x86_64/vdso.ts'
import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { MREMAP } from '../../kernel/constants/mman.ts'
import { closeSync, openSync, readSync, writeSync } from '../../kernel/fs.ts'
import { scratch } from '../../kernel/memory.ts'
import { type Mapping, readMaps } from '../../kernel/proc/maps.ts'
import { checked, sys } from '../../kernel/sys.ts'
import type { Table } from '../../kernel/table.ts'
import { type HostPid, traceeAddr } from '../../kernel/types.ts'
import { findHole } from '../../tracee/hole.ts'
import type { RestoreTask } from '../restore-model.ts'
import type { PageRuns } from './restore-pages.ts'
import { VMA } from './vma-bits.ts'

type Vma = Messages['vma_entry']

/** What the kernel maps into every process: [vvar], [vvar_vclock], [vdso], side by side. */
export interface KernelMappings {
  readonly start: bigint
  readonly end: bigint
  readonly parts: readonly { readonly offset: bigint; readonly size: bigint }[]
  readonly vdso: { readonly offset: bigint; readonly bytes: Uint8Array } | undefined
}

/** Those of a stub; every task cloned from it has them at the same place. */
export function readKernelMappings(pid: HostPid): KernelMappings {
  const maps = readMaps(`/proc/${pid}`).filter(
    ({ path }) => path === '[vdso]' || path.startsWith('[vvar'),
  )
  const start = maps[0]?.start ?? 0n
  const vdso = maps.find(({ path }) => path === '[vdso]')
  return {
    start,
    end: maps.at(-1)?.end ?? 0n,
    parts: maps.map((map) => ({ offset: map.start - start, size: map.end - map.start })),
    vdso: vdso && { offset: vdso.start - start, bytes: readMemory(pid, vdso) },
  }
}

function readMemory(pid: HostPid, { start, end }: Mapping): Uint8Array {
  const bytes = new Uint8Array(Number(end - start))
  const mem = openSync(`/proc/${pid}/mem`, 'r')
  try {
    readSync(mem, bytes, 0, bytes.length, Number(start))
  } finally {
    closeSync(mem)
  }
  return bytes
}

/** What becomes of the kernel's mappings in one task. */
export type VdsoPlan =
  /** The task had none. */
  | { readonly kind: 'none' }
  /** They go where the task had its own, which were the same. */
  | { readonly kind: 'move'; readonly to: bigint }
  /**
   * The task had another vDSO. Its code stays as ordinary memory, entered at functions that jump on to
   * the present one's, which goes to a hole.
   */
  | { readonly kind: 'patch'; readonly to: bigint; readonly vdso: Vma; readonly patches: Patch[] }

interface Patch {
  readonly address: bigint
  readonly bytes: Uint8Array
}

const isKernels = (vma: Vma): boolean => (vma.status & (VMA.vdso | VMA.vvar)) !== 0

/** Mappings of the image that are the kernel's, not the task's. */
export const kernelVmas = (task: RestoreTask): Vma[] => (task.mm?.vmas ?? []).filter(isKernels)

export function planVdso(
  task: RestoreTask,
  runs: PageRuns,
  ours: KernelMappings,
  avoid: { start: bigint; end: bigint },
): VdsoPlan {
  const theirs = kernelVmas(task)
  const vdso = theirs.find(({ status }) => status & VMA.vdso)
  if (!vdso) return { kind: 'none' }
  if (!ours.vdso)
    return fail({ code: 'conflict', reason: 'the images have a vDSO, and this kernel gives none' })
  const content = readRange(runs, vdso)
  const to = vdso.start - ours.vdso.offset
  if (fitsAt(to, ours, theirs) && sameFunctions(content, ours.vdso.bytes)) {
    if (content && !sameCode(content, ours.vdso.bytes)) refuseInside(task, vdso, content)
    return { kind: 'move', to }
  }
  if (!content)
    return fail({
      code: 'conflict',
      pid: task.nsPid,
      reason: 'the vDSO of the images is another than this kernel has, and its pages are missing',
    })
  refuseInside(task, vdso, content)
  const taken = [...task.mm!.vmas, avoid]
    .map(({ start, end }) => ({ start: traceeAddr(start), end: traceeAddr(end) }))
    .sort((a, b) => (a.start < b.start ? -1 : 1))
  const hole = findHole(taken, Number(ours.end - ours.start))
  return { kind: 'patch', to: hole, vdso, patches: makePatches(task, vdso, content, ours, hole) }
}

/** Ours cover exactly what the task's covered. */
function fitsAt(to: bigint, ours: KernelMappings, theirs: readonly Vma[]): boolean {
  const size = ours.end - ours.start
  const covered = theirs.reduce((sum, { start, end }) => sum + (end - start), 0n)
  return covered === size && theirs[0]!.start === to && theirs.at(-1)!.end === to + size
}

/** Every function is at the same place. Images without the bytes are taken at their size. */
function sameFunctions(content: Uint8Array | undefined, ours: Uint8Array): boolean {
  if (content === undefined) return true
  const here = vdsoFunctions(ours)
  return [...imageFunctions(content)].every(([name, offset]) => here.get(name) === offset)
}

/** Of the vDSO that the images have, which may be damaged. */
function imageFunctions(content: Uint8Array): Map<string, number> {
  try {
    return vdsoFunctions(content)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return fail({ code: 'image', file: 'pages', reason: 'the vDSO in it is no ELF image' }, error)
  }
}

/** The same instructions: from the first function on (notes and tables stand before). */
function sameCode(content: Uint8Array, ours: Uint8Array): boolean {
  const first = Math.min(content.length, ...imageFunctions(content).values())
  return Buffer.compare(content.subarray(first), ours.subarray(first)) === 0
}

/** The image's bytes of a mapping; undefined where it has none of them. */
function readRange(runs: PageRuns, { start, end }: Vma): Uint8Array | undefined {
  const [from, to] = [Number(start), Number(end)]
  if (!runs.touches(from, to)) return undefined
  const bytes = new Uint8Array(to - from)
  for (let i = runs.firstBehind(from); i < runs.count && runs.address[i]! < to; i++) {
    const address = Math.max(runs.address[i]!, from)
    const length = Math.min(runs.address[i]! + runs.length[i]!, to) - address
    const { fd, file } = runs.sources[runs.source[i]!]!
    using s = scratch()
    const buffer = s.take(length)
    const offset = runs.offset[i]! + (address - runs.address[i]!)
    checked(sys('pread64', fd, buffer.address, length, offset), 'pread', { path: file })
    bytes.set(buffer.bytes, address - from)
  }
  return bytes
}

/** A thread in the middle of the old code would go on in it, and read time from nowhere. */
function refuseInside(task: RestoreTask, vdso: Vma, content: Uint8Array): void {
  for (const { nsTid, core } of task.threads) {
    const { ip } = core.thread_info!.gpregs
    const isInside = ip >= vdso.start && ip < vdso.end
    if (isInside && !isInVsyscall(content, Number(ip - vdso.start)))
      fail({
        code: 'conflict',
        pid: nsTid,
        reason: `thread ${nsTid} was dumped within the vDSO of another kernel`,
        remedy: 'restore under the kernel that it was dumped on, or dump it again',
      })
  }
}

function makePatches(
  task: RestoreTask,
  vdso: Vma,
  content: Uint8Array,
  ours: KernelMappings,
  hole: bigint,
): Patch[] {
  const targets = vdsoFunctions(ours.vdso!.bytes)
  const base = hole + ours.vdso!.offset
  const compat = isCompatVdso(content)
  const patches = new Map<number, Patch>()
  for (const [name, offset] of imageFunctions(content)) {
    const target = targets.get(name)
    if (target === undefined)
      fail({
        code: 'conflict',
        pid: task.nsPid,
        reason: `this kernel's vDSO has no ${name}, which the one of the images has`,
      })
    if (offset + jumpSize(compat) > content.length)
      fail({ code: 'image', file: 'pages', reason: `the vDSO's ${name} is outside of it` })
    const address = vdso.start + BigInt(offset)
    patches.set(offset, { address, bytes: jumpTo(base + BigInt(target!), address, compat) })
  }
  return [...patches.values()]
}

/** Moves all parts, which stand at `from`, by calls in the task itself. */
export function moveKernelMappings(
  table: Table,
  ours: KernelMappings,
  from: bigint,
  to: bigint,
): void {
  const flags = MREMAP.MAYMOVE | MREMAP.FIXED
  for (const { offset, size } of ours.parts)
    table.call('mremap', from + offset, size, size, flags, to + offset)
}

/** Writes the jumps; through /proc, since by now nobody may write there. */
export function patchVdso(pid: HostPid, patches: readonly Patch[]): void {
  const mem = openSync(`/proc/${pid}/mem`, 'r+')
  try {
    for (const { address, bytes } of patches)
      writeSync(mem, bytes, 0, bytes.length, Number(address))
  } finally {
    closeSync(mem)
  }
}

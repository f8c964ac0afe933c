import { isCompat } from '../arch/x86_64/image-registers.ts'
import type { DumpTask } from './dump-model.ts'
import { readTaskMemory } from './memory/read.ts'
import { VMA } from './memory/vma-bits.ts'
import type { RestoreTask, RestoreThread } from './restore-model.ts'

/** First address that a program of 32 bits cannot have. */
export const COMPAT_END = 1n << 32n

const ELF_CLASS_AT = 4n
const CLASS_32 = 1

const dumped = new WeakMap<DumpTask, boolean>()

/**
 * Is it a program of 32 bits (i386): its address space ends at 4 GiB, its vDSO is of 32 bits. Whether a
 * thread runs 32-bit code is another matter: a 64-bit program may do so for a while.
 */
export function isCompatDump(task: DumpTask): boolean {
  const known = dumped.get(task)
  if (known !== undefined) return known
  const vdso = task.maps.find(({ path }) => path === '[vdso]')
  const elfClass = vdso && readTaskMemory(task, vdso.start + ELF_CLASS_AT, 1)?.[0]
  const compat =
    elfClass === undefined
      ? task.threads[0]!.seized.registers.isCompat &&
        task.maps.every(({ end }) => end <= COMPAT_END)
      : elfClass === CLASS_32
  dumped.set(task, compat)
  return compat
}

/** The same of a task of the images: 32-bit code, and nothing above 4 GiB. */
export function isCompatRestore({ threads, mm }: RestoreTask): boolean {
  if (!mm || !threads.some(runsCompat)) return false
  return mm.vmas.every(({ end, status }) => end <= COMPAT_END && !(status & VMA.vsyscall))
}

function runsCompat({ core }: RestoreThread): boolean {
  const registers = core.thread_info?.gpregs
  return registers !== undefined && isCompat(registers)
}

import type { Messages } from '../../images/gen/messages.ts'
import { MADV, MAP, MLOCK, PROT } from '../../kernel/constants/mman.ts'
import { PR, PR_SET_MM, PR_SET_VMA } from '../../kernel/constants/prctl.ts'
import { prctlMmMap } from '../../kernel/layout/memory.ts'
import type { Table } from '../../kernel/table.ts'
import { fileId } from '../../kernel/types.ts'
import type { RestoreContext, RestoreTask } from '../restore-model.ts'
import { isCompatRestore } from '../task-abi.ts'
import { restoredTask } from '../task-extra.ts'
import type { MappingToMake } from './restore-map.ts'
import { VMA } from './vma-bits.ts'

type Vma = Messages['vma_entry']

const PAGE_SIZE = 4096

/** Advice that decides how pages are made: given before there are any. */
const EARLY = [MADV.HUGEPAGE, MADV.NOHUGEPAGE] as const
/** The other advice that sticks to a mapping. */
const LATE = [
  MADV.RANDOM,
  MADV.SEQUENTIAL,
  MADV.DONTFORK,
  MADV.MERGEABLE,
  MADV.DONTDUMP,
  MADV.WIPEONFORK,
] as const

const has = ({ madv = 0n }: Vma, advice: number): boolean => ((madv >> BigInt(advice)) & 1n) === 1n

export function addEarlyAdvice(table: Table, { vma, apart }: MappingToMake): void {
  if (apart) table.call('madvise', vma.start, vma.end - vma.start, MADV.DONTDUMP)
  for (const advice of EARLY)
    if (has(vma, advice)) table.call('madvise', vma.start, vma.end - vma.start, advice)
}

/** The page goes again at once; what the kernel remembers of it (the anon_vma) stays. */
export function addTouch(table: Table, { vma }: MappingToMake): void {
  table.attempt('madvise', vma.start, PAGE_SIZE, MADV.POPULATE_WRITE)
  table.attempt('madvise', vma.start, PAGE_SIZE, MADV.DONTNEED)
}

/** Advice, protection and locks of a mapping whose content is in place. */
export function addFinish(table: Table, { vma, writeFirst, apart }: MappingToMake): void {
  const size = vma.end - vma.start
  for (const advice of LATE) if (has(vma, advice)) table.call('madvise', vma.start, size, advice)
  if (apart && !has(vma, MADV.DONTDUMP)) table.call('madvise', vma.start, size, MADV.DODUMP)
  if (writeFirst) table.call('mprotect', vma.start, size, vma.prot)
}

export function addGuard(table: Table, { start, end }: Vma): void {
  table.call('madvise', start, end - start, MADV.GUARD_INSTALL)
}

/** What only images of our own know of mappings, and locks, which need to know it. */
export function addExtras(
  table: Table,
  task: RestoreTask,
  vmas: readonly Vma[],
  restore: RestoreContext,
): void {
  const { vmas: extras = [], lock_future: lockFuture } = restoredTask(task, restore) ?? {}
  for (const { start, end, name } of extras)
    if (name !== undefined)
      table.call('prctl', PR.SET_VMA, PR_SET_VMA.ANON_NAME, start, end - start, table.string(name))
  for (const { start, end, flags } of vmas) {
    if (!(flags & MAP.LOCKED)) continue
    const onFault = extras.some((extra) => extra.lock_on_fault && extra.start === start)
    table.call('mlock2', start, end - start, onFault ? MLOCK.ONFAULT : 0)
  }
  if (lockFuture) table.call('mlockall', lockFuture)
}

/** Sealed mappings cannot be changed any more: the very last that happens to memory. */
export function addSeals(table: Table, task: RestoreTask, restore: RestoreContext): void {
  for (const { start, end, sealed } of restoredTask(task, restore)?.vmas ?? [])
    if (sealed) table.call('mseal', start, end - start, 0)
}

/** Where code, heap, stack, arguments are, the auxiliary vector and the program's file. */
export function addMmMap(table: Table, task: RestoreTask, restore: RestoreContext): void {
  const mm = task.mm!
  const auxv = table.data(auxvBytes(task))
  const map = table.data(
    prctlMmMap.encode({
      start_code: mm.mm_start_code,
      end_code: mm.mm_end_code,
      start_data: mm.mm_start_data,
      end_data: mm.mm_end_data,
      start_brk: mm.mm_start_brk,
      brk: mm.mm_brk,
      start_stack: mm.mm_start_stack,
      arg_start: mm.mm_arg_start,
      arg_end: mm.mm_arg_end,
      env_start: mm.mm_env_start,
      env_end: mm.mm_env_end,
      auxv: auxv.address,
      auxv_size: auxv.bytes.length,
      exe_fd: restore.files.reopen(fileId(mm.exe_file_id), 0),
    }),
  )
  table.call('prctl', PR.SET_MM, PR_SET_MM.MAP, map, prctlMmMap.size, 0)
}

/** The vector as the kernel keeps it: in words of the program's own size. */
function auxvBytes(task: RestoreTask): Uint8Array {
  const words = task.mm!.mm_saved_auxv
  const array = isCompatRestore(task) ? Uint32Array.from(words, Number) : BigUint64Array.from(words)
  return new Uint8Array(array.buffer)
}

/** The image's pages of another kernel's vDSO are ordinary memory, and its vvar empty pages. */
export function addForeignVdso(table: Table, vmas: readonly Vma[]): void {
  const flags = MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED_NOREPLACE
  for (const { start, end, status } of vmas) {
    const prot = status & VMA.vdso ? PROT.READ | PROT.WRITE : PROT.READ
    table.call('mmap', start, end - start, prot, flags, -1, 0)
  }
}

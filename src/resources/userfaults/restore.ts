import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { F, O } from '../../kernel/constants/fcntl.ts'
import { UFFD, UFFDIO, UFFDIO_WRITEPROTECT_MODE } from '../../kernel/constants/ioctl.ts'
import { MADV } from '../../kernel/constants/mman.ts'
import { readFileSync } from '../../kernel/fs.ts'
import {
  uffdioApi,
  uffdioContinue,
  uffdioPoison,
  uffdioRegister,
  uffdioWriteprotect,
  uffdioZeropage,
} from '../../kernel/layout/memory.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, must, owned, sys } from '../../kernel/sys.ts'
import type { Table } from '../../kernel/table.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import type { RestoreContext, RestoreTask } from '../restore-model.ts'
import type { UserfaultEntry } from './book.ts'

type RangeEntry = Messages['criuts_userfaultfd_range']

const context = { kind: 'userfaultfd' } as const

/**
 * Makes it in the task whose memory it is for, under a number that it has in the end. What a huge page
 * may have filled while the content came is emptied before: there a fault is to be told.
 */
export function make(
  { id, user_mode_only: userModeOnly, ranges }: UserfaultEntry,
  task: RestoreTask,
  table: Table,
  { model }: RestoreContext,
): void {
  for (const range of ranges)
    if (mayBeHuge(range, task))
      for (const { start, len } of pairs(range.absent))
        table.call('madvise', start, len, MADV.DONTNEED)
  const above = 1 + Math.max(...model.tasks.flatMap(({ fds }) => fds.map(({ fd }) => fd)))
  const flags = O.CLOEXEC | (userModeOnly ? UFFD.UFFD_USER_MODE_ONLY : 0)
  const made = table.call('userfaultfd', flags)
  // The number may be the lowest one that is free, which is what the kernel gives.
  const raised = table.call('fcntl', made, F.DUPFD_CLOEXEC, above)
  table.call('close', made)
  table.call('dup3', raised, numberIn(task, id), O.CLOEXEC)
  table.call('close', raised)
}

/** Bit of madv for MADV_HUGEPAGE. */
const HUGE = 1n << BigInt(MADV.HUGEPAGE)

function mayBeHuge({ start }: RangeEntry, { mm }: RestoreTask): boolean {
  const mode = readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'latin1')
  if (mode.includes('[always]')) return true
  const vma = mm?.vmas.find((one) => one.start <= start && start < one.end)
  return mode.includes('[madvise]') && ((vma?.madv ?? 0n) & HUGE) !== 0n
}

function numberIn({ fds, nsPid }: RestoreTask, id: number): number {
  const reason = `userfaultfd ${id} is for process ${nsPid}, which does not have it`
  const held = fds.find((one) => one.id === id)
  return held?.fd ?? fail({ code: 'image', file: 'criu-ts-userfaultfd', reason })
}

/** Our own descriptor of what the task has made, with all that is registered. */
export function take(entry: UserfaultEntry, { model }: RestoreContext): LocalFd {
  const task = model.tasks.find(({ nsPid }) => nsPid === entry.owner)
  if (!task?.pid) {
    const reason = `userfaultfd ${entry.id} is for process ${entry.owner}, which is not there`
    return fail({ code: 'image', file: 'criu-ts-userfaultfd', reason })
  }
  using pidfd = owned(must('pidfd_open', task.pid, 0))
  const fd = localFd(must('pidfd_getfd', pidfd.fd, numberIn(task, entry.id), 0))
  if (entry.features !== undefined) {
    const api = uffdioApi.encode({ api: BigInt(UFFD.UFFD_API), features: entry.features })
    request(fd, 'API', api)
  }
  for (const range of entry.ranges) register(fd, range)
  return fd
}

/** Protection comes after the pages that it is for. */
function register(fd: LocalFd, range: RangeEntry): void {
  const { start, end, mode } = range
  const whole = { start, len: end - start }
  request(fd, 'REGISTER', uffdioRegister.encode({ range: whole, mode: BigInt(mode) }))
  const dontWake = 1n // UFFDIO_ZEROPAGE_MODE_DONTWAKE, and of the others alike
  for (const one of pairs(range.zero))
    request(fd, 'ZEROPAGE', uffdioZeropage.encode({ range: one, mode: dontWake }))
  for (const one of pairs(range.mapped))
    request(fd, 'CONTINUE', uffdioContinue.encode({ range: one, mode: dontWake }))
  for (const one of pairs(range.poisoned))
    request(fd, 'POISON', uffdioPoison.encode({ range: one, mode: dontWake }))
  const protect = BigInt(UFFDIO_WRITEPROTECT_MODE.WP)
  for (const one of pairs(range.protected))
    request(fd, 'WRITEPROTECT', uffdioWriteprotect.encode({ range: one, mode: protect }))
}

function request(fd: LocalFd, name: keyof typeof UFFDIO, argument: Uint8Array): void {
  using s = scratch()
  checked(sys('ioctl', fd, UFFDIO[name], s.put(argument).address), `UFFDIO_${name}`, context)
}

function* pairs(flat: readonly bigint[]): Generator<{ start: bigint; len: bigint }> {
  for (let i = 0; i + 1 < flat.length; i += 2)
    yield { start: flat[i]!, len: flat[i + 1]! - flat[i]! }
}

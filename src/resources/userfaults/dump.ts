import { CAP, hasCap } from '../../kernel/constants/capability.ts'
import { UFFDIO, UFFDIO_REGISTER_MODE } from '../../kernel/constants/ioctl.ts'
import { Errno } from '../../kernel/errno.ts'
import { uffdioContinue, uffdioRegister, uffdioWriteprotect } from '../../kernel/layout/memory.ts'
import { scratch } from '../../kernel/memory.ts'
import { fdInfoValue } from '../../kernel/proc/fdinfo.ts'
import { trySysctl } from '../../kernel/proc/system.ts'
import { sys } from '../../kernel/sys.ts'
import type { DumpContext, DumpTask, FdProbe } from '../dump-model.ts'
import { refuseFile } from '../files/refuse.ts'
import { type AddressRange, isRegistered, type RegisteredMapping } from '../memory/registered.ts'
import { type FoundUserfault, isUserfault, type UserfaultEntry, userfaultsOf } from './book.ts'

/** Set in the context once UFFDIO_API was called (fs/userfaultfd.c, UFFD_FEATURE_INITIALIZED). */
const INITIALISED = 1n << 31n

/** What was asked for by UFFDIO_API; undefined before that. */
function featuresOf({ info }: FdProbe): bigint | undefined {
  const [, features] = (fdInfoValue(info, 'API') ?? '').split(':')
  const bits = BigInt(`0x${features || '0'}`)
  return bits & INITIALISED ? bits & ~INITIALISED : undefined
}

/**
 * Gives each registered mapping of a task to the userfaultfd that it is registered with: of those that
 * the task has open. Where it has several, the kernel tells: see isOf.
 */
export function claim(
  task: DumpTask,
  registered: readonly RegisteredMapping[],
  dump: DumpContext,
): RegisteredMapping[] {
  const held = new Set(
    dump.files.descriptors
      .filter((one) => one.probe.task.ids.files_id === task.ids.files_id && isUserfault(one))
      .map(({ id }) => id as number),
  )
  const own = userfaultsOf(dump).filter(({ id }) => held.has(id))
  const unclaimed: RegisteredMapping[] = []
  for (const one of registered) {
    const possible =
      own.length === 1 ? own : own.filter(({ probe }) => isOf(probe, task, one, dump))
    if (possible.length !== 1) unclaimed.push(one)
    else {
      possible[0]!.owner = task
      possible[0]!.mappings.push(one)
    }
  }
  return unclaimed
}

/**
 * Whether a mapping is registered with this very userfaultfd. Two calls tell, of which nothing comes:
 *
 * 1. UFFDIO_CONTINUE, which anonymous memory does not have: EINVAL where the address is registered in
 *    the memory that the userfaultfd is for, and ENOENT where it is not. So it is for this task's
 *    memory, as long as no other has the address registered too.
 * 2. UFFDIO_REGISTER of what is registered already: 0 with the same one, EBUSY with another.
 */
function isOf(
  { local }: FdProbe,
  task: DumpTask,
  { mapping, mode }: RegisteredMapping,
  { tasks }: DumpContext,
): boolean {
  const { start, end, inode } = mapping
  const others = tasks.filter((other) => other.ids.vm_id !== task.ids.vm_id)
  const isElsewhere = others.some(({ maps }) =>
    maps.some((one) => isRegistered(one) && one.start < end && start < one.end),
  )
  if (inode !== 0n || isElsewhere) return false
  using s = scratch()
  const page = s.put(uffdioContinue.encode({ range: { start, len: 4096n } }))
  if (sys('ioctl', local, UFFDIO.CONTINUE, page.address) !== -Errno.EINVAL) return false
  const range = { start, len: end - start }
  const again = s.put(uffdioRegister.encode({ range, mode: BigInt(mode) }))
  return sys('ioctl', local, UFFDIO.REGISTER, again.address) === 0
}

/** The entry of one whose owner is known; refused where that cannot be told. */
export function entryOf(found: FoundUserfault, dump: DumpContext): UserfaultEntry | undefined {
  const { probe, id, fown, mappings } = found
  const refuse = (what: string, remedy: string): undefined =>
    void refuseFile(dump, probe, what, remedy)
  const owner = found.owner ?? loneHolder(id, dump)
  if (!owner)
    return refuse(
      'userfaultfd without registered memory, that several processes have open',
      'the kernel does not tell whose memory it is for: let one of them close it',
    )
  const features = featuresOf(probe)
  if (features !== undefined && isOrphaned(probe))
    return refuse('userfaultfd of a process that is gone', 'let the program close it first')
  if (waiting(probe) > 0)
    return refuse(
      `userfaultfd with ${waiting(probe)} faults that wait for an answer`,
      'dump again once they are answered',
    )
  return {
    id,
    flags: probe.flags,
    fown,
    owner: owner.nsPid,
    user_mode_only: isUserModeOnly(owner),
    ...(features !== undefined && { features }),
    ranges: mappings.map(rangeOf),
  }
}

function loneHolder(id: number, dump: DumpContext): DumpTask | undefined {
  const holders = dump.files.descriptors.filter((one) => one.id === id)
  const tasks = new Set(holders.map(({ probe }) => probe.task))
  return tasks.size === 1 ? holders[0]!.probe.task : undefined
}

/** Above all that a process maps: no call on it changes anything. */
const NOWHERE = { start: 0x7fffffffe000n, len: 4096n }

/** The memory that it is for has gone with its process: ESRCH, where a living one says ENOENT. */
function isOrphaned({ local }: FdProbe): boolean {
  using s = scratch()
  const arg = s.put(uffdioWriteprotect.encode({ range: NOWHERE, mode: 0n }))
  return sys('ioctl', local, UFFDIO.WRITEPROTECT, arg.address) === -Errno.ESRCH
}

/** A thread that waited for a page has left its wait to be stopped; one within a system call cannot. */
const waiting = ({ info }: FdProbe): number => Number(fdInfoValue(info, 'total') ?? 0)

/**
 * UFFD_USER_MODE_ONLY is not shown. Who may have no other (man 2 userfaultfd) gets no more back; else
 * faults of the kernel are told as well, which is what the flag leaves out.
 */
function isUserModeOnly({ status }: DumpTask): boolean {
  if (hasCap(status.caps.effective, CAP.SYS_PTRACE)) return false
  return trySysctl('/proc', 'vm/unprivileged_userfaultfd') !== 1
}

function rangeOf(one: RegisteredMapping): UserfaultEntry['ranges'][number] {
  const { mapping, mode } = one
  return {
    start: mapping.start,
    end: mapping.end,
    mode,
    zero: flat(one.zero),
    protected: flat(one.protected),
    poisoned: flat(one.poisoned),
    mapped: mode & UFFDIO_REGISTER_MODE.MINOR ? flat(one.present) : [],
    absent: mapping.shared ? [] : flat(one.absent),
  }
}

/** Start and end of each, one after the other. */
const flat = (ranges: readonly AddressRange[]): bigint[] =>
  ranges.flatMap(({ start, end }) => [BigInt(start), BigInt(end)])

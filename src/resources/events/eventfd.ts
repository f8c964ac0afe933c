import { EFD } from '../../kernel/constants/poll.ts'
import { scratch } from '../../kernel/memory.ts'
import { fdInfoValue } from '../../kernel/proc/fdinfo.ts'
import { checked, must, sys } from '../../kernel/sys.ts'
import { localFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import { connectOwner } from '../files/async.ts'
import { partOf } from '../files/entry-part.ts'
import { ownerOf, restoreSignal } from '../files/owner.ts'
import { refuseFile } from '../files/refuse.ts'
import { freshInfo, isAnon, setFlags } from './anon.ts'

/** EVENTFD of fd_types. */
const TYPE = 6
/** One more than a write can reach; only the kernel's own signals do (man 2 eventfd, POLLERR). */
const OVERFLOWN = 0xffff_ffff_ffff_ffffn

/**
 * Counters. The image has no field for EFD_SEMAPHORE; it stands as bit 0 of `flags`, where a file that
 * is always open for both directions (O_RDWR, 2) has none.
 */
export const eventfd: FdKind = {
  tag: 'eventfd',
  type: TYPE,
  recognise: (probe) => isAnon(probe, 'eventfd'),
  dump(probe, id, dump) {
    const counter = BigInt(`0x${freshInfo(probe)('eventfd-count')}`)
    if (counter === OVERFLOWN) {
      refuseFile(dump, probe, 'eventfd whose counter has overflown', 'read it before the dump')
      return undefined
    }
    // Before Linux 6.5 the kernel does not tell.
    const semaphore = fdInfoValue(probe.info, 'eventfd-semaphore') === '1' ? EFD.SEMAPHORE : 0
    const fown = ownerOf(probe, dump)
    return { efd: { id, flags: probe.flags | semaphore, fown, counter } }
  },

  open(entry) {
    const { flags, counter, fown } = partOf(entry, 'efd')
    const fd = localFd(must('eventfd2', 0, EFD.CLOEXEC | (flags & EFD.SEMAPHORE)))
    // eventfd2 takes 32 bits; a write of zero would change nothing.
    if (counter !== 0n) count(fd, counter)
    setFlags(fd, flags)
    restoreSignal(fd, fown)
    return fd
  },
  connect(entry, fd, restore) {
    const { flags, fown } = partOf(entry, 'efd')
    connectOwner(fd, entry.id, flags, fown, restore)
  },
}

function count(fd: number, counter: bigint): void {
  using s = scratch()
  const memory = s.take(8)
  memory.view.setBigUint64(0, counter, true)
  checked(sys('write', fd, memory.address, 8), 'write', { kind: 'eventfd' })
}

import { O } from '../../kernel/constants/fcntl.ts'
import { scratch } from '../../kernel/memory.ts'
import { must } from '../../kernel/sys.ts'
import { localFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import { connectOwner } from '../files/async.ts'
import { partOf } from '../files/entry-part.ts'
import { ownerOf, restoreSignal } from '../files/owner.ts'
import { freshInfo, isAnon, setFlags } from './anon.ts'

/** SIGNALFD of fd_types. */
const TYPE = 9
/** Bytes of the kernel's sigset_t. */
const SIGSET_SIZE = 8

/** A mask alone: what is read through it are the pending signals of whoever reads. */
export const signalfd: FdKind = {
  tag: 'signalfd',
  type: TYPE,
  recognise: (probe) => isAnon(probe, 'signalfd'),
  dump(probe, id, dump) {
    const sigmask = BigInt(`0x${freshInfo(probe)('sigmask')}`)
    return { sgfd: { id, flags: probe.flags, fown: ownerOf(probe, dump), sigmask } }
  },

  open(entry) {
    const { flags, sigmask, fown } = partOf(entry, 'sgfd')
    using s = scratch()
    const memory = s.take(SIGSET_SIZE)
    memory.view.setBigUint64(0, sigmask, true)
    // Its SFD_CLOEXEC is O_CLOEXEC.
    const fd = localFd(must('signalfd4', -1, memory.address, SIGSET_SIZE, O.CLOEXEC))
    setFlags(fd, flags)
    restoreSignal(fd, fown)
    return fd
  },
  connect(entry, fd, restore) {
    const { flags, fown } = partOf(entry, 'sgfd')
    connectOwner(fd, entry.id, flags, fown, restore)
  },
}

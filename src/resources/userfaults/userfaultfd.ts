import { fail } from '../../errors/error.ts'
import type { FdKind } from '../contract.ts'
import { isAnon, setFlags } from '../events/anon.ts'
import { connectOwner } from '../files/async.ts'
import { ownerOf, restoreSignal } from '../files/owner.ts'
import type { RestoreContext } from '../restore-model.ts'
import { entriesOf, type UserfaultEntry, userfaultsOf } from './book.ts'
import { entryOf } from './dump.ts'
import { take } from './restore.ts'

/** Ours: upstream has no userfaultfd. */
const TYPE = 15001

/**
 * Faults of some memory that a program handles itself (man 2 userfaultfd). The task whose memory it is
 * makes it (aspect.ts); we take it from there, register, and pass it to all who have it. Its entry is
 * in an image of our own.
 */
export const userfaultfd: FdKind = {
  tag: 'userfaultfd',
  type: TYPE,
  recognise: (probe) => isAnon(probe, 'userfaultfd'),
  dump(probe, id, dump) {
    const fown = ownerOf(probe, dump)
    userfaultsOf(dump).push({ probe, id, fown, owner: undefined, mappings: [] })
    return {}
  },
  finishDump(dump) {
    const entries = userfaultsOf(dump).flatMap((found) => entryOf(found, dump) ?? [])
    if (entries.length > 0) dump.images.write('criu-ts-userfaultfd', entries)
  },

  late: () => true,
  open({ id }, restore) {
    const entry = entryWith(id, restore)
    const fd = take(entry, restore)
    setFlags(fd, entry.flags)
    restoreSignal(fd, entry.fown)
    return fd
  },
  connect({ id }, fd, restore) {
    const { flags, fown } = entryWith(id, restore)
    connectOwner(fd, id, flags, fown, restore)
  },
}

function entryWith(id: number, restore: RestoreContext): UserfaultEntry {
  const entry = entriesOf(restore).find((one) => one.id === id)
  const reason = `no userfaultfd ${id}`
  return entry ?? fail({ code: 'image', file: 'criu-ts-userfaultfd', reason })
}

import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import type { FdKind } from '../contract.ts'
import { isAnon, setFlags } from '../events/anon.ts'
import { connectOwner } from '../files/async.ts'
import { restoreSignal } from '../files/owner.ts'
import type { RestoreContext } from '../restore-model.ts'
import { uringDefect } from './check.ts'
import { finishRing, ringsOf, tryDumpRing } from './dump.ts'
import { makeRing, registerBuffers, registerFiles } from './restore.ts'

/** Ours: upstream has no io_uring. */
const TYPE = 15000

const read = new WeakMap<RestoreContext, readonly Messages['criuts_uring'][]>()
const buffered = new WeakMap<RestoreContext, Set<number>>()

/**
 * An io_uring at rest: nothing is under way. Its entry is in an image of our own, with all the memory
 * that it shares with the program.
 */
export const uring: FdKind = {
  tag: 'io_uring',
  type: TYPE,
  recognise: (probe) => isAnon(probe, 'io_uring'),
  dump(probe, id, dump) {
    const ring = tryDumpRing(probe, id, dump)
    if (!ring) return undefined
    ringsOf(dump).push(ring)
    return {}
  },
  // The image is written once the tasks were asked (aspect.ts).
  finishDump(dump) {
    for (const ring of ringsOf(dump)) finishRing(ring, dump)
  },

  open({ id }, restore) {
    const entry = entryOf(id, restore)
    const fd = makeRing(entry, restore)
    setFlags(fd, entry.flags)
    restoreSignal(fd, entry.fown)
    return fd
  },
  connect({ id }, fd, restore) {
    const entry = entryOf(id, restore)
    registerFiles(entry, fd, restore)
    connectOwner(fd, id, entry.flags, entry.fown, restore)
  },
  connectIn(task, { id }, fd, table, restore) {
    const entry = entryOf(id, restore)
    const done = buffered.get(restore) ?? new Set<number>()
    buffered.set(restore, done)
    if (entry.owner !== task.nsPid || done.has(id)) return
    done.add(id)
    registerBuffers(entry, fd, table)
  },
}

function entryOf(id: number, restore: RestoreContext): Messages['criuts_uring'] {
  const all = read.get(restore) ?? restore.images.readAll('criu-ts-uring')
  read.set(restore, all)
  const entry = all.find((one) => one.id === id)
  const file = restore.images.pathOf('criu-ts-uring')
  if (!entry) return fail({ code: 'image', file, reason: `no io_uring ${id}` })
  const defect = uringDefect(entry)
  if (defect) fail({ code: 'image', file, reason: `io_uring ${id}: ${defect}` })
  return entry
}

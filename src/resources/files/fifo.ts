import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { owned } from '../../kernel/sys.ts'
import { fileId } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext } from '../dump-model.ts'
import type { RestoreContext } from '../restore-model.ts'
import { connectOwner } from './async.ts'
import { partOf } from './entry-part.ts'
import { inheritedAs } from './external-file.ts'
import { nameOf } from './name.ts'
import { restoreSignal } from './owner.ts'
import { PipeBook } from './pipe-book.ts'
import { bytesIn } from './pipe-content.ts'
import { inheritPipe } from './pipe-inherit.ts'
import { PipeSet, setFlags } from './pipe-restore.ts'
import { openRegWith, regEntryOf } from './reg-entry.ts'

type FileEntry = Messages['file_entry']
type RegEntry = Messages['reg_file_entry']

/** FIFO and REG of fd_types. */
const TYPE = 3
const REG = 1

const books = new WeakMap<DumpContext, PipeBook>()
const sets = new WeakMap<RestoreContext, PipeSet>()

function bookOf(dump: DumpContext): PipeBook {
  const book = books.get(dump) ?? new PipeBook('fifo-data')
  books.set(dump, book)
  return book
}

function setOf(restore: RestoreContext): PipeSet {
  const set = sets.get(restore) ?? new PipeSet('fifo-data', ({ fifo }) => fifo?.pipe_id, restore)
  sets.set(restore, set)
  return set
}

/** A pipe with a name. Flags, owner and name are in an entry of their own, as of any other file. */
export const fifo: FdKind = {
  tag: 'fifo',
  type: TYPE,
  recognise: ({ link, stat, flags }) =>
    (link.kind === 'path' || link.kind === 'unreachable') &&
    fileType(stat.mode) === 'fifo' &&
    (flags & O.PATH) === 0,
  dump(probe, id, dump) {
    const regId = dump.files.nextId()
    const name = nameOf(probe, regId, dump)
    if (name === undefined) return undefined
    dump.files.add({ type: REG, id: regId, reg: regEntryOf(probe, regId, name, dump) })
    return { fifo: { id, pipe_id: bookOf(dump).add(probe), regf_id: regId } }
  },
  finishDump: (dump) => bookOf(dump).finish(dump),

  inheritedAs: (entry, restore) => inheritedAs(regBehind(entry, restore), restore),
  inherit(entry, given, restore) {
    const { pipe_id } = partOf(entry, 'fifo')
    return inheritPipe(pipe_id, regBehind(entry, restore), given, setOf(restore), restore)
  },
  open(entry, restore) {
    const set = setOf(restore)
    const { pipe_id } = partOf(entry, 'fifo')
    const ready = set.take(entry.id)
    if (ready !== undefined) return ready
    openFifo(pipe_id, set, set.members(pipe_id, entry), restore)
    return set.take(entry.id)!
  },
  connect(entry, fd, restore) {
    const { flags, fown } = regBehind(entry, restore)
    connectOwner(fd, entry.id, flags, fown, restore)
  },
}

function regBehind(entry: FileEntry, restore: RestoreContext): RegEntry {
  const { regf_id } = partOf(entry, 'fifo')
  // Upstream before 3.x gave both one id.
  const reg = restore.model.files.get(fileId(regf_id ?? entry.id))?.reg
  if (reg) return reg
  const reason = `fifo ${entry.id} has no file ${regf_id}`
  return fail({ code: 'image', file: 'files.img', reason })
}

/**
 * Nothing blocks while a descriptor for both directions is open. It goes as soon as all the others
 * are there.
 */
function openFifo(
  pipeId: number,
  set: PipeSet,
  members: readonly FileEntry[],
  restore: RestoreContext,
): void {
  const first = regBehind(members[0]!, restore)
  using helper = owned(openRegWith(first, O.RDWR | O.NONBLOCK, restore))
  if (bytesIn(helper.fd) > 0) {
    const path = displayPath(first.name)
    const reason = `fifo ${path} is in use: it holds bytes of somebody else`
    fail({ code: 'conflict', path, reason, remedy: 'end the program that has it open' })
  }
  set.fill(pipeId, helper.fd)
  for (const member of members) {
    const reg = regBehind(member, restore)
    const fd = openRegWith(reg, reg.flags | O.NONBLOCK, restore)
    setFlags(fd, reg.flags)
    restoreSignal(fd, reg.fown)
    set.put(member.id, fd)
  }
}

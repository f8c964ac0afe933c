import { AF } from '../../kernel/constants/socket.ts'
import { fileId } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext } from '../dump-model.ts'
import { partOf } from '../files/entry-part.ts'
import type { RestoreContext } from '../restore-model.ts'
import { familyOf } from './socket-kind.ts'
import { UnixBook } from './unix-dump.ts'
import { connectByPlugin, isOfPlugin, openByPlugin } from './unix-plugin.ts'
import { UnixSet } from './unix-restore.ts'

/** UNIXSK of fd_types. */
const TYPE = 5

const books = new WeakMap<DumpContext, UnixBook>()
const sets = new WeakMap<RestoreContext, UnixSet>()

function bookOf(dump: DumpContext): UnixBook {
  const book = books.get(dump) ?? new UnixBook(dump)
  books.set(dump, book)
  return book
}

function setOf(restore: RestoreContext): UnixSet {
  const set = sets.get(restore) ?? new UnixSet(restore)
  sets.set(restore, set)
  return set
}

/**
 * Unix sockets (man 7 unix) of all three types: names, connections (those not accepted yet as well),
 * queues with what travels in them, options.
 */
export const unix: FdKind = {
  tag: 'unix socket',
  type: TYPE,
  recognise: (probe) => familyOf(probe) === AF.UNIX,
  dump(probe, id, dump) {
    const usk = bookOf(dump).add(probe, id)
    return usk && { usk }
  },
  collectInFlight: (dump) => books.get(dump)?.collectInFlight(),
  finishDump: (dump) => books.get(dump)?.finish(),
  drain: (dump) => books.get(dump)?.drain(),

  /** Sockets in flight are made with all others, and may be in each other's queues. */
  needs: (entry, restore) =>
    setOf(restore)
      .queues.rightsOf(entry.id)
      .filter((id) => restore.model.files.get(fileId(id))?.type !== TYPE),
  inheritedAs: (entry) => ({ name: `socket:[${partOf(entry, 'usk').ino}]` }),
  open(entry, restore) {
    const usk = partOf(entry, 'usk')
    return isOfPlugin(usk) ? openByPlugin(usk, restore) : setOf(restore).take(entry)
  },
  connect(entry, fd, restore) {
    setOf(restore).connect()
    const usk = partOf(entry, 'usk')
    if (isOfPlugin(usk)) connectByPlugin(fd, usk, restore)
  },
}

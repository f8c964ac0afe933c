import type { Messages } from '../../images/gen/messages.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { close, open } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import type { FdKind } from '../contract.ts'
import type { DumpContext } from '../dump-model.ts'
import type { RestoreContext } from '../restore-model.ts'
import { connectOwner } from './async.ts'
import { partOf } from './entry-part.ts'
import { ownerOf, restoreSignal } from './owner.ts'
import { PipeBook } from './pipe-book.ts'
import { makePipe } from './pipe-content.ts'
import { inheritPipe } from './pipe-inherit.ts'
import { PipeSet, setFlags } from './pipe-restore.ts'

type FileEntry = Messages['file_entry']

/** PIPE of fd_types. */
const TYPE = 2

const books = new WeakMap<DumpContext, PipeBook>()
const sets = new WeakMap<RestoreContext, PipeSet>()

function bookOf(dump: DumpContext): PipeBook {
  const book = books.get(dump) ?? new PipeBook('pipes-data')
  books.set(dump, book)
  return book
}

function setOf(restore: RestoreContext): PipeSet {
  const set = sets.get(restore) ?? new PipeSet('pipes-data', ({ pipe }) => pipe?.pipe_id, restore)
  sets.set(restore, set)
  return set
}

export const pipe: FdKind = {
  tag: 'pipe',
  type: TYPE,
  recognise: ({ link, flags }) => link.kind === 'pipe' && (flags & O.PATH) === 0,
  dump(probe, id, dump) {
    const fown = ownerOf(probe, dump)
    return { pipe: { id, pipe_id: bookOf(dump).add(probe), flags: probe.flags, fown } }
  },
  finishDump: (dump) => bookOf(dump).finish(dump),

  inheritedAs(entry, restore) {
    const { pipe_id, flags } = partOf(entry, 'pipe')
    const name = `pipe:[${pipe_id}]`
    if (!setOf(restore).isHeldOutside(pipe_id)) return { name }
    const missing = (flags & O.ACCMODE) === O.RDONLY ? 'write' : 'read'
    return { name, needed: `${name} whose ${missing} end was held outside of the tree` }
  },
  inherit(entry, given, restore) {
    const state = partOf(entry, 'pipe')
    return inheritPipe(state.pipe_id, state, given, setOf(restore), restore)
  },
  open(entry, restore) {
    const set = setOf(restore)
    const { pipe_id } = partOf(entry, 'pipe')
    const ready = set.take(entry.id)
    if (ready !== undefined) return ready
    openPipe(pipe_id, set, set.members(pipe_id, entry))
    return set.take(entry.id)!
  },
  connect(entry, fd, restore) {
    const { flags, fown } = partOf(entry, 'pipe')
    connectOwner(fd, entry.id, flags, fown, restore)
  },
}

function openPipe(pipeId: number, set: PipeSet, members: readonly FileEntry[]): void {
  const made = makePipe()
  set.fill(pipeId, made.write)
  // The two ends as pipe2 made them are descriptions of their own; each is the first of its kind.
  const ends = new Map<number, number>([
    [O.RDONLY, made.read],
    [O.WRONLY, made.write],
  ])
  for (const member of members) {
    const { flags, fown } = partOf(member, 'pipe')
    const fd = takeEnd(ends, flags) ?? openAgain(made.read, flags)
    setFlags(fd, flags)
    restoreSignal(fd, fown)
    set.put(member.id, fd)
  }
  for (const fd of ends.values()) close(fd)
}

/** What the kernel opened through /proc has O_LARGEFILE, an end that pipe2 made has not. */
function takeEnd(ends: Map<number, number>, flags: number): LocalFd | undefined {
  if (flags & O.LARGEFILE) return undefined
  const access = flags & O.ACCMODE
  const fd = ends.get(access)
  ends.delete(access)
  return fd === undefined ? undefined : localFd(fd)
}

/** Another description of the same pipe. */
const openAgain = (end: number, flags: number): LocalFd =>
  open(`/proc/self/fd/${end}`, (flags & O.ACCMODE) | O.NONBLOCK)

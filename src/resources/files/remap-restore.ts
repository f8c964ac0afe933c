import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { AT } from '../../kernel/constants/fcntl.ts'
import { Errno } from '../../kernel/errno.ts'
import { scratch } from '../../kernel/memory.ts'
import { openAs } from '../../kernel/open-as.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { checked, sys } from '../../kernel/sys.ts'
import { fileId, type LocalFd } from '../../kernel/types.ts'
import type { RestoreContext } from '../restore-model.ts'
import { type Ghost, makeGhost, openGhost } from './ghost-restore.ts'
import { REMAP } from './remap-dump.ts'
import { openFlags, pathOf } from './reopen.ts'

type RegEntry = Messages['reg_file_entry']
type RemapEntry = Messages['remap_file_path_entry']

interface Remaps {
  /** By the id of the file that is found elsewhere. */
  readonly entries: ReadonlyMap<number, RemapEntry>
  readonly ghosts: Map<number, Ghost>
  /** Ids of link entries whose names are removed at the end. */
  readonly links: Set<number>
}

const known = new WeakMap<RestoreContext, Remaps>()

function remapsOf(restore: RestoreContext): Remaps {
  const found = known.get(restore)
  if (found) return found
  const entries = (restore.images.tryReadAll('remap-fpath') ?? []).map(withType)
  const remaps = {
    entries: new Map(entries.map((entry) => [entry.orig_id, entry])),
    ghosts: new Map<number, Ghost>(),
    links: new Set<number>(),
  }
  known.set(restore, remaps)
  return remaps
}

/** The dead process whose /proc file this was; undefined for anything else. */
export function deadPidOf(reg: RegEntry, restore: RestoreContext): number | undefined {
  const remap = remapsOf(restore).entries.get(reg.id)
  return remap?.remap_type === REMAP.PROCFS ? remap.remap_id : undefined
}

/** Opens a file that is not found by its own name; undefined for all others. */
export function tryOpenRemapped(reg: RegEntry, restore: RestoreContext): LocalFd | undefined {
  const remaps = remapsOf(restore)
  const remap = remaps.entries.get(reg.id)
  switch (remap?.remap_type) {
    case undefined:
    case REMAP.PROCFS:
      return undefined
    case REMAP.GHOST:
      return openGhost(ghostOf(remap!.remap_id, reg, remaps, restore), reg)
    case REMAP.LINKED:
      return openLinked(remap!.remap_id, reg, remaps, restore)
  }
}

/** Before remap_type there were ghosts, told by the highest bit of their id, and links. */
function withType(entry: RemapEntry): RemapEntry {
  if (entry.remap_type !== undefined) return entry
  const isGhost = entry.remap_id >= OLD_GHOST
  return {
    ...entry,
    remap_id: isGhost ? entry.remap_id - OLD_GHOST : entry.remap_id,
    remap_type: isGhost ? REMAP.GHOST : REMAP.LINKED,
  }
}

const OLD_GHOST = 2 ** 31

function ghostOf(id: number, reg: RegEntry, remaps: Remaps, restore: RestoreContext): Ghost {
  const before = remaps.ghosts.get(id)
  if (before) return before
  const users = [...remaps.entries.values()].flatMap(({ orig_id, remap_id, remap_type }) => {
    const isUser = remap_id === id && remap_type === REMAP.GHOST
    return (isUser && restore.model.files.get(fileId(orig_id))?.reg) || []
  })
  const ghost = makeGhost(id, reg, users, restore)
  remaps.ghosts.set(id, ghost)
  return ghost
}

/**
 * Opens a file by the name that --link-remap gave it. It gets its old name for this moment, if that
 * is free, so that the kernel tells it as before.
 */
function openLinked(id: number, reg: RegEntry, remaps: Remaps, restore: RestoreContext): LocalFd {
  const link = restore.model.files.get(fileId(id))?.reg
  if (!link) {
    const reason = `${displayPath(reg.name)} is remapped to file ${id}, which is not there`
    fail({ code: 'image', file: restore.images.pathOf('remap-fpath'), reason })
  }
  removeAtEnd(id, pathOf(link), remaps, restore)
  using s = scratch()
  const name = s.string(pathOf(reg))
  const linked = sys('linkat', AT.FDCWD, s.string(pathOf(link)), AT.FDCWD, name, 0) === 0
  try {
    return openAs(linked ? pathOf(reg) : pathOf(link), openFlags(reg))
  } finally {
    if (linked) sys('unlink', name)
  }
}

/** The name is of no more use once the tree runs; a failed restore may be tried again. */
function removeAtEnd(id: number, path: string, remaps: Remaps, restore: RestoreContext): void {
  if (remaps.links.has(id)) return
  remaps.links.add(id)
  restore.atEnd((succeeded) => {
    if (!succeeded) return
    using s = scratch()
    const result = sys('unlink', s.string(path))
    if (result !== -Errno.ENOENT) checked(result, 'unlink', { path: displayPath(path) })
  })
}

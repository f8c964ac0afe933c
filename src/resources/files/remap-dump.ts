import type { Messages } from '../../images/gen/messages.ts'
import { AT } from '../../kernel/constants/fcntl.ts'
import { FS_MAGIC } from '../../kernel/constants/magic.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import { Errno, errnoName } from '../../kernel/errno.ts'
import { scratch } from '../../kernel/memory.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { sys } from '../../kernel/sys.ts'
import type { FileId } from '../../kernel/types.ts'
import type { DumpContext, DumpTask, FdProbe } from '../dump-model.ts'
import { fileSystemOf } from './file-system.ts'
import { writeGhost } from './ghost-dump.ts'
import { isSame, linkPath, parentOf, pathFromHere, tryLstat } from './lookup.ts'
import { noOwner } from './owner.ts'
import { refuseFile } from './refuse.ts'

/** remap_type of the images. */
export const REMAP = { LINKED: 0, GHOST: 1, PROCFS: 2 } as const

interface Remaps {
  readonly entries: Messages['remap_file_path_entry'][]
  /** Content to be written, by `dev:ino`: an inode is carried once. */
  readonly ghosts: Map<string, { readonly id: number; readonly probe: FdProbe }>
  /** Names given to inodes by --link-remap: the id of the entry that has it. */
  readonly links: Map<string, number>
}

const known = new WeakMap<DumpContext, Remaps>()

function remapsOf(dump: DumpContext): Remaps {
  const found = known.get(dump) ?? { entries: [], ghosts: new Map(), links: new Map() }
  known.set(dump, found)
  return found
}

const inodeOf = ({ stat }: FdProbe): string => `${stat.dev}:${stat.ino}`

/**
 * Carries a file that its name does not lead to any more: without any name in the images (a ghost),
 * with another hard link by a name made for it. Returns the name for the entry; undefined: refused.
 */
export function remap(probe: FdProbe, id: FileId, dump: DumpContext): string | undefined {
  const name = linkPath(probe)
  if (name === undefined) return undefined
  const done = isGhost(probe) ? addGhost(probe, id, dump) : addLink(probe, id, name, dump)
  return done ? name : undefined
}

/** A file of procfs whose process is gone; restore makes one for it. */
export function addDeadProcess(id: FileId, pid: number, dump: DumpContext): void {
  remapsOf(dump).entries.push({ orig_id: id, remap_id: pid, remap_type: REMAP.PROCFS })
}

/** Some file systems (btrfs) give a removed directory a link count of 1. */
function isGhost({ stat, link }: FdProbe): boolean {
  if (stat.nlink === 0) return true
  return fileType(stat.mode) === 'directory' && link.kind === 'path' && link.deleted
}

function addGhost(probe: FdProbe, id: FileId, dump: DumpContext): boolean {
  if (isHuge(probe, dump) || isTooLarge(probe, dump)) return false
  const { entries, ghosts } = remapsOf(dump)
  const key = inodeOf(probe)
  const ghost = ghosts.get(key) ?? { id: ghosts.size + 1, probe }
  ghosts.set(key, ghost)
  entries.push({ orig_id: id, remap_id: ghost.id, remap_type: REMAP.GHOST })
  return true
}

/** hugetlbfs takes no content but through a mapping. */
function isHuge(probe: FdProbe, dump: DumpContext): boolean {
  if (fileSystemOf(probe, dump) !== FS_MAGIC.HUGETLBFS_MAGIC) return false
  const what = `unlinked file ${nameOf(probe)} of huge pages (hugetlbfs)`
  refuseFile(dump, probe, what, 'let the program keep its name, or use a memfd (MFD_HUGETLB)')
  return true
}

function isTooLarge(probe: FdProbe, dump: DumpContext): boolean {
  if (fileType(probe.stat.mode) !== 'regular') return false
  const { size, blocks } = probe.stat
  const allocated = blocks * 512n
  const carried = allocated < size ? allocated : size
  const limit = BigInt(dump.options.ghostLimit)
  if (carried <= limit) return false
  const what = `unlinked file ${nameOf(probe)} of ${carried} bytes, more than the ${limit} allowed`
  const option = `--ghost-limit ${carried}`
  refuseFile(dump, probe, what, `dump with ${option} or more`, option)
  return true
}

function addLink(probe: FdProbe, id: FileId, name: string, dump: DumpContext): boolean {
  const what = `${fileType(probe.stat.mode) ?? 'file'} ${nameOf(probe)}`
  if (fileType(probe.stat.mode) === 'directory') {
    refuseFile(dump, probe, `${what}, hidden under another mount`, 'unmount what hides it')
    return false
  }
  if (!dump.options.linkRemap) {
    const remedy = 'dump with --link-remap, which makes a name for it until the restore'
    const left = `${what}, unlinked, of which another hard link is left`
    refuseFile(dump, probe, left, remedy, '--link-remap')
    return false
  }
  const remapId = linkOf(probe, name, what, dump)
  if (remapId === undefined) return false
  remapsOf(dump).entries.push({ orig_id: id, remap_id: remapId, remap_type: REMAP.LINKED })
  return true
}

/** The id of the entry that has the made name; one for each inode. */
function linkOf(probe: FdProbe, name: string, what: string, dump: DumpContext): number | undefined {
  const { links } = remapsOf(dump)
  const before = links.get(inodeOf(probe))
  if (before !== undefined) return before
  const id = dump.files.nextId()
  const made = makeLink(probe, existingParent(probe.task, parentOf(name)), id)
  if (typeof made === 'number') {
    const reason = `a link for it cannot be made (${errnoName(made)})`
    refuseFile(dump, probe, `${what}, unlinked, of which another hard link is left`, reason)
    return undefined
  }
  links.set(inodeOf(probe), id)
  dump.files.add({ type: 1, id, reg: linkEntry(id, made) })
  dump.atEnd((succeeded) => {
    // The images need the name; a tree that goes on, and a dump that failed, must not see it stay.
    if (succeeded && dump.options.finalState === 'killed') return
    using s = scratch()
    sys('unlink', s.string(pathFromHere(probe.task, made)))
  })
  return id
}

function linkEntry(id: FileId, name: string): Messages['reg_file_entry'] {
  return { id, flags: 0, pos: 0n, fown: noOwner, name, build_id: [] }
}

/** Gives an inode the name `link_remap.ID`; the path, or the errno. */
function makeLink(probe: FdProbe, directory: string, id: number): string | number {
  using s = scratch()
  for (let attempt = 0; ; attempt++) {
    const suffix = attempt === 0 ? '' : `.${attempt}`
    const path = `${directory === '/' ? '' : directory}/link_remap.${id}${suffix}`
    const from = s.string(`/proc/self/fd/${probe.local}`)
    const to = pathFromHere(probe.task, path)
    const result = sys('linkat', AT.FDCWD, from, AT.FDCWD, s.string(to), AT.SYMLINK_FOLLOW)
    if (result === 0) return path
    // A dump that was killed may have left it.
    if (result === -Errno.EEXIST && isSame(probe.stat, tryLstat(to))) return path
    if (result !== -Errno.EEXIST || attempt === 100) return -result
  }
}

function existingParent(task: DumpTask, directory: string): string {
  if (directory === '/' || tryLstat(pathFromHere(task, directory))) return directory
  return existingParent(task, parentOf(directory))
}

const nameOf = (probe: FdProbe): string => displayPath(linkPath(probe) ?? probe.path)

/** Writes ghosts and who they are for, once every file is known. */
export function writeRemaps(dump: DumpContext): void {
  const { entries, ghosts } = remapsOf(dump)
  if (entries.length === 0) return
  for (const { id, probe } of ghosts.values()) writeGhost(id, probe, dump)
  dump.images.write('remap-fpath', entries)
}

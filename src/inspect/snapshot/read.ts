import { fail } from '../../errors/error.ts'
import { ImageDirectory } from '../../images/directory.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { enumValueName } from '../../images/schema.ts'
import { readFileSync, readlinkSync, tryStatSync } from '../../kernel/fs.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { readable } from '../json/text-value.ts'
import { readFiles } from './files.ts'
import { SharedNumbers } from './memory.ts'
import { type ImageFile, type Mount, PAGE, type SharedMemory, type Snapshot } from './model.ts'
import { PageMaps } from './page-maps.ts'
import { ProcessReader } from './processes.ts'
import { stagesOf, statisticsOf } from './stages.ts'

/**
 * What a directory of images holds. Pages are not read, but for those with the arguments of each
 * process. CriuError `image` names the file and entry of a defect.
 */
export function readImages(directory: string): Snapshot {
  using maps = new PageMaps(ImageDirectory.open(directory))
  return readSnapshot(maps)
}

/** The same of a directory that is already open. */
export function readSnapshot(maps: PageMaps): Snapshot {
  const images = maps.directory
  const inventory = images.readOne('inventory')
  const files = readFiles(images)
  const members = membersOf(images)
  const pids = members.map(({ pid }) => pid)
  const reader = new ProcessReader(maps, files, new SharedNumbers(), pids)
  const listed = images.list()
  return {
    directory: images.path,
    parent: parentOf(images),
    inventory: {
      version: inventory.img_version,
      uptime: inventory.dump_uptime === undefined ? undefined : Number(inventory.dump_uptime),
      lsm:
        inventory.lsmtype === undefined ? undefined : enumValueName('lsmtype', inventory.lsmtype),
      networkLock: inventory.network_lock_method,
    },
    processes: members.map((member) => reader.read(member)),
    files: files.all,
    sockets: files.sockets,
    mounts: images.idsOf('mountpoints').flatMap((id) => mountsOf(images, Number(id))),
    sharedMemory: images.idsOf('pagemap-shmem').map((id) => sharedMemory(maps, Number(id))),
    statistics: statisticsOf(images.tryReadOne('stats-dump')),
    stages: stages(images),
    images: listed.map(({ name }) => imageFile(images, name)),
  }
}

/** The tree; each process stands in it once, behind its parent if that is one of the tree. */
function membersOf(images: ImageDirectory): Messages['pstree_entry'][] {
  const members = images.readAll('pstree')
  const pids = new Set(members.map(({ pid }) => pid))
  const seen = new Set<number>()
  for (const [entry, { pid, ppid, threads }] of members.entries()) {
    const twice = seen.has(pid) ? `process ${pid} is there twice` : undefined
    const late = pids.has(ppid) && !seen.has(ppid)
    const strange = threads.length > 0 && !threads.includes(pid)
    const reason =
      twice ??
      (late ? `process ${pid} comes before its parent ${ppid}` : undefined) ??
      (strange ? `process ${pid} is none of its own threads` : undefined)
    if (reason !== undefined) fail({ code: 'image', file: images.pathOf('pstree'), entry, reason })
    seen.add(pid)
  }
  return members
}

function parentOf(images: ImageDirectory): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${images.fd}/parent`)
  } catch {
    return undefined
  }
}

function mountsOf(images: ImageDirectory, namespace: number): Mount[] {
  return images.readAll('mountpoints', namespace).map((entry) => ({
    namespace,
    id: entry.mnt_id,
    parent: entry.parent_mnt_id,
    mountpoint: readable(entry.mountpoint),
    root: readable(entry.root),
    source: readable(entry.source),
    type: entry.fsname ?? enumValueName('fstype', entry.fstype)?.toLowerCase() ?? 'unknown',
    options: readable(entry.options),
  }))
}

function sharedMemory(maps: PageMaps, id: number): SharedMemory {
  const ranges = maps.get('pagemap-shmem', id)?.ranges() ?? []
  const pages = ranges.reduce((sum, range) => sum + (range.where === 'lazy' ? 0 : range.pages), 0)
  return { id, saved: pages * PAGE }
}

/** A log at -v4 may be long: its stages stand at both ends, and the whole is rarely more. */
const LONGEST_LOG = 64 * 1024 * 1024

function stages(images: ImageDirectory) {
  const path = `/proc/self/fd/${images.fd}/dump.log`
  const size = tryStatSync(path)?.size ?? 0n
  return size === 0n || size > LONGEST_LOG ? [] : stagesOf(readFileSync(path, 'latin1'))
}

function imageFile(images: ImageDirectory, name: string): ImageFile {
  const size = tryStatSync(`/proc/self/fd/${images.fd}/${name}`)?.size ?? 0n
  return { name: displayPath(name), size: Number(size) }
}

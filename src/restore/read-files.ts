import { fail } from '../errors/error.ts'
import type { EntryOf, ImageKind } from '../images/catalogue.ts'
import type { ImageDirectory, PlainKind } from '../images/directory.ts'
import type { Messages } from '../images/gen/messages.ts'
import { type FileId, fileId } from '../kernel/types.ts'

type FileEntry = Messages['file_entry']

/** All open files of the images by their id. */
export function readFiles(images: ImageDirectory): Map<FileId, FileEntry> {
  const file = images.pathOf('files')
  const entries = images.tryReadAll('files')
  const files = new Map<FileId, FileEntry>()
  for (const [entry, value] of (entries ?? readOldFiles(images)).entries()) {
    const before = files.get(fileId(value.id))
    if (before && !before.tunf === !value.tunf)
      fail({ code: 'image', file, entry, reason: `file id ${value.id} for the second time` })
    files.set(fileId(value.id), before ? withPath(before, value) : value)
  }
  return files
}

/** A TUN/TAP device and its path are two entries of one id. */
function withPath(a: FileEntry, b: FileEntry): FileEntry {
  const [device, path] = a.tunf ? [a, b] : [b, a]
  return { ...device, reg: path.reg }
}

/** Before CRIU 3.0 each type had an image of its own: type of fd_types, and field of file_entry. */
const OLD_IMAGES = [
  ['reg-files', 1, 'reg'],
  ['pipes', 2, 'pipe'],
  ['fifo', 3, 'fifo'],
  ['inetsk', 4, 'isk'],
  ['unixsk', 5, 'usk'],
  ['eventfd', 6, 'efd'],
  ['eventpoll', 7, 'epfd'],
  ['inotify', 8, 'ify'],
  ['signalfd', 9, 'sgfd'],
  ['packetsk', 10, 'psk'],
  ['tty', 11, 'tty'],
  ['fanotify', 12, 'ffy'],
  ['netlinksk', 13, 'nlsk'],
  ['ns-files', 14, 'nsf'],
  ['tunfile', 15, 'tunf'],
  ['ext-files', 16, 'ext'],
  ['timerfd', 17, 'tfd'],
] as const satisfies readonly (readonly [ImageKind & PlainKind, number, keyof FileEntry])[]

function readOldFiles(images: ImageDirectory): FileEntry[] {
  return OLD_IMAGES.flatMap(([kind, type, field]) => {
    const entries = (images.tryReadAll(kind) ?? []) as EntryOf<'reg-files'>[]
    return entries.map((entry) => ({ type, id: entry.id, [field]: entry }) as unknown as FileEntry)
  })
}

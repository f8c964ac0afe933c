import type { Messages } from '../../images/gen/messages.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import { displayPath, pathFromBytes } from '../../kernel/proc/bytes.ts'
import type { FdKind } from '../contract.ts'
import type { FdProbe } from '../dump-model.ts'
import { refuseFile } from './refuse.ts'
import { familyName, nameSocket, typeName } from './socket-name.ts'

type FileEntry = Messages['file_entry']

/** A type that no entry has. */
const NONE = -1

/** Of last resort: everything that no other kind took. It is named, with what can be done. */
export const refused: FdKind = {
  tag: 'unsupported file',
  type: NONE,
  recognise: () => true,
  dump(probe, _id, dump) {
    refuseFile(dump, probe, describe(probe), `it cannot be dumped yet: ${remedyOf(probe)}`)
    return undefined
  },
  open: (entry) => {
    throw new Error(`file ${entry.id} has a type without a kind`)
  },
}

const remedyOf = (probe: FdProbe): string =>
  probe.fd === undefined ? 'let the program unmap it first' : 'let the program close it first'

/** Names what a descriptor leads to, as exactly as the kernel tells it. */
function describe(probe: FdProbe): string {
  const { link } = probe
  switch (link.kind) {
    case 'socket':
      return nameSocket(probe.local)
    case 'anon':
      return `anon_inode ${displayPath(link.name)}`
    case 'memfd':
      return `memfd ${displayPath(link.name)}`
    case 'namespace':
      return `namespace ${link.type}:[${link.ino}]`
    case 'pipe':
      return `O_PATH of pipe:[${link.ino}]`
    case 'other':
      return displayPath(link.text)
    default:
      return `${fileType(probe.stat.mode) ?? 'file'} ${displayPath(link.path)}`
  }
}

const typeNames = new Map<number, string>([
  [4, 'socket'],
  [5, 'socket'],
  [6, 'anon_inode eventfd'],
  [7, 'anon_inode eventpoll'],
  [8, 'anon_inode inotify'],
  [9, 'anon_inode signalfd'],
  [10, 'socket'],
  [11, 'terminal'],
  [12, 'anon_inode fanotify'],
  [13, 'socket'],
  [14, 'namespace'],
  [15, 'TUN/TAP device'],
  [16, 'file of a plugin'],
  [17, 'anon_inode timerfd'],
  [18, 'memfd'],
  [19, 'anon_inode bpf-map'],
  [20, 'anon_inode pidfd'],
  [65534, 'terminal /dev/tty'],
  [65535, 'pipe of an autofs mount'],
])

/** Names the object of an entry whose type has no kind, as a dump would name it. */
export function describeUnsupported(entry: FileEntry): string {
  const { isk, usk, psk, nlsk } = entry
  if (isk) {
    const port = isk.src_port === 0 ? '' : `, port ${isk.src_port}`
    return `socket (${familyName(isk.family)}, ${typeName(isk.type)}${port})`
  }
  if (usk) return `socket (AF_UNIX, ${typeName(usk.type)}${unixName(usk.name)})`
  if (psk) return `socket (AF_PACKET, ${typeName(psk.type)})`
  if (nlsk) return `socket (AF_NETLINK, protocol ${nlsk.protocol})`
  return typeNames.get(entry.type) ?? `file of type ${entry.type}`
}

/** As the kernel prints it: an abstract name begins with @ (man 7 unix). */
function unixName(name: Uint8Array): string {
  const text = displayPath(pathFromBytes(name)).replace(/\0$/, '')
  return text === '' ? '' : `, ${text.replace(/^\0/, '@')}`
}

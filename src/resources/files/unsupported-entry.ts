import type { Messages } from '../../images/gen/messages.ts'
import { displayPath, pathFromBytes } from '../../kernel/proc/bytes.ts'
import { familyName, typeName } from './socket-name.ts'

type FileEntry = Messages['file_entry']

/** Types of entries (fd_types) as the kernel calls what they are. */
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

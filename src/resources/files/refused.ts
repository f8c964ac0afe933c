import { fail } from '../../errors/error.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import type { FdKind } from '../contract.ts'
import type { FdProbe } from '../dump-model.ts'
import { refuseFile } from './refuse.ts'
import { nameSocket } from './socket-name.ts'

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
  open: ({ id }) => fail({ code: 'internal', reason: `file ${id} is of a kind that is refused` }),
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

import { fail } from '../../errors/error.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import type { ProcLink } from '../../kernel/proc/links.ts'
import type { FdKind } from '../contract.ts'
import type { FdProbe } from '../dump-model.ts'
import { type AnonObject, describeAnon } from './anon-names.ts'
import { refuseFile } from './refuse.ts'
import { nameSocket } from './socket-name.ts'

/** No entry has it, whatever an image says. */
const NONE = Number.NEGATIVE_INFINITY

/** Of last resort: everything that no other kind took. It is named, with what can be done. */
export const refused: FdKind = {
  tag: 'unsupported file',
  type: NONE,
  recognise: () => true,
  dump(probe, _id, dump) {
    const { what, why = 'it cannot be dumped yet' } = describe(probe)
    refuseFile(dump, probe, what, `${why}: ${remedyOf(probe)}`)
    return undefined
  },
  open: ({ id }) => fail({ code: 'internal', reason: `file ${id} is of a kind that is refused` }),
}

const remedyOf = (probe: FdProbe): string =>
  probe.fd === undefined ? 'let the program unmap it first' : 'let the program close it first'

/** Names what a descriptor leads to, as exactly as the kernel tells it. */
function describe(probe: FdProbe): AnonObject {
  const { link } = probe
  if (link.kind === 'anon') return describeAnon(displayPath(link.name))
  return { what: nameOf(probe, link), why: undefined }
}

function nameOf(probe: FdProbe, link: Exclude<ProcLink, { kind: 'anon' }>): string {
  switch (link.kind) {
    case 'socket':
      return nameSocket(probe.local)
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

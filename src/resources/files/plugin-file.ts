import { fail } from '../../errors/error.ts'
import { F, O } from '../../kernel/constants/fcntl.ts'
import { must } from '../../kernel/sys.ts'
import { takeDescriptor } from '../../plugins/descriptor.ts'
import { tryKeptOf } from '../../plugins/kept-fields.ts'
import type { FdKind } from '../contract.ts'
import { connectOwner } from './async.ts'
import { partOf } from './entry-part.ts'
import { restoreSignal } from './owner.ts'

/** EXT of fd_types. */
const TYPE = 16
/** What F_SETFL sets; the rest is how the plugin opens it. */
const SETTABLE = O.APPEND | O.NONBLOCK | O.DIRECT | O.NOATIME

/**
 * Files that a plugin keeps (`--libdir`, docs/plugins.md). Plugins are asked by `plugin-dump.ts` for what
 * every kind would refuse, so this one recognises nothing.
 */
export const pluginFile: FdKind = {
  tag: 'file of a plugin',
  type: TYPE,
  recognise: () => false,
  dump: () => fail({ code: 'internal', reason: 'plugins are asked before their kind is' }),

  obstacle(entry, { libdir }) {
    const kept = tryKeptOf(partOf(entry, 'ext'))
    if (kept === undefined) return { what: 'file of a plugin of upstream criu' }
    if (libdir !== undefined) return undefined
    const what = `file of the plugin ${kept.plugin}`
    return { what, remedy: 'give the directory that holds it with --libdir' }
  },
  open(entry, restore) {
    const ext = partOf(entry, 'ext')
    const kept = tryKeptOf(ext)!
    const what = `file ${entry.id}`
    const fd = takeDescriptor(
      restore.plugins!.restore(kept, 'restoreExtFile', what),
      kept.plugin,
      'restoreExtFile',
    )
    must('fcntl', fd, F.SETFL, kept.flags & SETTABLE)
    restoreSignal(fd, ext.fown)
    return fd
  },
  connect(entry, fd, restore) {
    const ext = partOf(entry, 'ext')
    connectOwner(fd, entry.id, tryKeptOf(ext)!.flags, ext.fown, restore)
  },
}

import type { Messages } from '../../images/gen/messages.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import { majorOf, minorOf } from '../../kernel/proc/device.ts'
import { tryReadProcLink } from '../../kernel/proc/read.ts'
import type { FileId } from '../../kernel/types.ts'
import { withKept } from '../../plugins/kept-fields.ts'
import type { PluginDevice, PluginFile } from '../../plugins/plugin.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { ownerOf } from './owner.ts'

type ExtEntry = Messages['ext_file_entry']

/** The entry of a file that a plugin keeps. */
export function tryPluginFile(
  probe: FdProbe,
  id: FileId,
  dump: DumpContext,
): { readonly ext: ExtEntry } | undefined {
  const where = probe.fd === undefined ? probe.path : `fd ${probe.fd}`
  const what = `${where} of process ${probe.task.pid}`
  const kept = dump.plugins?.dump('dumpExtFile', told(probe), what)
  if (kept === undefined) return undefined
  const entry: ExtEntry = { id, fown: ownerOf(probe, dump) }
  return { ext: withKept(entry, kept, probe.flags) }
}

function told({ task, fd, path, local, stat, flags, info }: FdProbe): PluginFile {
  return {
    fd: local,
    pid: task.pid,
    descriptor: fd,
    path: displayPath(tryReadProcLink(path) ?? ''),
    device: deviceOf(stat),
    flags,
    position: info.pos,
    info: Object.fromEntries(info.rest ?? []),
  }
}

function deviceOf({ mode, rdev }: FdProbe['stat']): PluginDevice | undefined {
  const type = fileType(mode)
  if (type !== 'char' && type !== 'block') return undefined
  return { major: majorOf(Number(rdev)), minor: minorOf(Number(rdev)) }
}

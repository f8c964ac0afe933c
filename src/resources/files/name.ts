import { O } from '../../kernel/constants/fcntl.ts'
import { FS_MAGIC } from '../../kernel/constants/magic.ts'
import { fileType } from '../../kernel/constants/stat.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import type { FileId } from '../../kernel/types.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { devicePath } from './device-file.ts'
import { fileSystemOf } from './file-system.ts'
import { linkPath, tryFindPath } from './lookup.ts'
import { procPath } from './proc-file.ts'
import { refuseFile } from './refuse.ts'
import { remap } from './remap-dump.ts'

/** File systems whose files are objects of the kernel that a path does not open again. */
const objects = new Map<number, string>([
  [FS_MAGIC.MQUEUE_MAGIC, 'POSIX message queue'],
  [FS_MAGIC.BPF_FS_MAGIC, 'pinned BPF object'],
  [FS_MAGIC.SECRETMEM_MAGIC, 'secret memory'],
  [FS_MAGIC.DMA_BUF_MAGIC, 'DMA buffer'],
])

/**
 * The name under which the file of a probe is written, taking care of its content where no name
 * leads to it. Undefined: refused.
 */
export function nameOf(probe: FdProbe, id: FileId, dump: DumpContext): string | undefined {
  const magic = fileSystemOf(probe, dump)
  const object = objects.get(magic)
  if (object !== undefined) {
    const path = displayPath(linkPath(probe) ?? probe.path)
    refuseFile(dump, probe, `${object} ${path}`, 'close it before the dump')
    return undefined
  }
  if (magic === FS_MAGIC.PROC_SUPER_MAGIC) return procPath(probe, id, dump)
  const type = fileType(probe.stat.mode)
  if (type === 'char' || type === 'block') return devicePath(probe, id, dump)
  const path = tryFindPath(probe)
  if (path !== undefined && !isSilly(path, magic)) return path
  return type === 'socket' ? refusedSocket(probe, dump) : remap(probe, id, dump)
}

/** NFS renames a file that is removed while open, and drops it when its last user closes it. */
const isSilly = (path: string, magic: number): boolean =>
  magic === FS_MAGIC.NFS_SUPER_MAGIC && /\/\.nfs[0-9a-f]{16,}$/.test(path)

function refusedSocket(probe: FdProbe, dump: DumpContext): undefined {
  const path = displayPath(linkPath(probe) ?? probe.path)
  refuseFile(dump, probe, `O_PATH of socket ${path}, which is removed`, 'close it before the dump')
  return undefined
}

/** Whether a path opens it: everything with a name, but for fifos and terminals in use. */
export function isOpenedByPath({ link, stat, flags }: FdProbe): boolean {
  if (link.kind !== 'path' && link.kind !== 'unreachable') return false
  const type = fileType(stat.mode)
  return type !== undefined && (type !== 'fifo' || (flags & O.PATH) !== 0)
}

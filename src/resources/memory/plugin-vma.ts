import { fail } from '../../errors/error.ts'
import type { Init } from '../../images/codec.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import type { SmapsMapping } from '../../kernel/proc/maps.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { takeDescriptor } from '../../plugins/descriptor.ts'
import { tryKeptOf, withKept } from '../../plugins/kept-fields.ts'
import type { PluginMapping, PluginSource } from '../../plugins/plugin.ts'
import { unusable } from '../../plugins/plugins.ts'
import type { DumpContext, DumpTask } from '../dump-model.ts'
import type { RestoreContext } from '../restore-model.ts'
import type { MappingToMake } from './restore-map.ts'
import { VMA } from './vma-bits.ts'

type VmaEntry = Messages['vma_entry']

/** Memory of a device: what a plugin keeps (`--libdir`), which is asked where we would refuse. */
export function tryPluginVma(
  task: DumpTask,
  mapping: SmapsMapping,
  { prot, flags }: Pick<VmaEntry, 'prot' | 'flags'>,
  dump: DumpContext,
): Init<VmaEntry> | undefined {
  const { start, end, offset, path, vmFlags, protectionKey } = mapping
  const isDevice = vmFlags.has('pf') || vmFlags.has('io') || path.startsWith('anon_inode:')
  if (!isDevice || protectionKey !== 0) return undefined
  const place = `${start.toString(16)}-${end.toString(16)}`
  const told = { pid: task.pid, start, end, offset, path: displayPath(path) }
  const what = `memory ${place} of process ${task.pid}`
  const kept = dump.plugins?.dump('handleDeviceVma', told, what)
  if (kept === undefined) return undefined
  const status = VMA.regular | VMA.plugin
  const entry: Init<VmaEntry> = {
    start,
    end,
    pgoff: offset,
    shmid: 0n,
    prot,
    flags,
    status,
    fd: -1n,
  }
  return withKept(entry, kept)
}

/** What the plugin has mapped in its place; nothing of it comes from the images. */
export function pluginMapping(
  pid: number,
  vma: VmaEntry,
  restore: RestoreContext,
  keep: (fd: LocalFd) => LocalFd,
): MappingToMake {
  const kept = tryKeptOf(vma)
  if (kept === undefined || !restore.plugins) return noPlugin(restore, pid)
  const { start, end, pgoff: offset } = vma
  const told: PluginMapping = { pid, start, end, offset, path: '' }
  const what = `memory ${start.toString(16)}-${end.toString(16)}`
  const source = restore.plugins.restore<PluginSource>(kept, 'updateVmaMap', what, told)
  const fd = takeDescriptor(source?.fd, kept.plugin, 'updateVmaMap')
  const pgoff = source.offset ?? offset
  if (typeof pgoff !== 'bigint') unusable(kept.plugin, 'updateVmaMap', 'its offset is no bigint')
  const none = { writeFirst: false, apart: false, empty: true, touch: false }
  return { vma: { ...vma, pgoff }, fd: keep(fd), ...none }
}

const noPlugin = ({ images }: RestoreContext, pid: number): never =>
  fail({ code: 'image', file: images.pathOf('mm', pid), reason: 'it names no plugin' })

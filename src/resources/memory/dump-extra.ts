import type { Messages } from '../../images/gen/messages.ts'
import type { SmapsMapping } from '../../kernel/proc/maps.ts'
import type { DumpTask } from '../dump-model.ts'
import { taskExtra } from '../task-extra.ts'

type VmaExtra = Messages['criuts_vma_extra']

/** Names given by PR_SET_VMA_ANON_NAME (since 5.17): `[anon:name]`, `[anon_shmem:name]`. */
const NAMED = /^\[anon(?:_shmem)?:(.*)\]$/s

/** What a mapping has beyond the fields of vma_entry; undefined for most. */
export function vmaExtra(mapping: SmapsMapping): VmaExtra | undefined {
  const { start, end, path, vmFlags, protectionKey } = mapping
  const name = NAMED.exec(path)?.[1]
  const lockOnFault = vmFlags.has('lf')
  const sealed = vmFlags.has('sl') && !path.startsWith('[v')
  if (name === undefined && !lockOnFault && !sealed && protectionKey === 0) return undefined
  return {
    start,
    end,
    ...(name === undefined ? {} : { name }),
    ...(lockOnFault ? { lock_on_fault: true } : {}),
    ...(sealed ? { sealed: true } : {}),
    ...(protectionKey === 0 ? {} : { protection_key: protectionKey }),
  }
}

/** Notes all of them in the image of our own. */
export function collectVmaExtras(task: DumpTask): void {
  for (const mapping of task.maps) {
    const extra = vmaExtra(mapping)
    if (extra) taskExtra(task).vmas.push(extra)
  }
}

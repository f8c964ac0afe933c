import type { Obstacle } from '../../errors/error.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import type { RestoreTask } from '../restore-model.ts'
import { VMA } from './vma-bits.ts'

const REFUSED = [[VMA.shadowStack, 'a shadow stack (CET)']] as const

/** Mappings that cannot be restored. */
export function mappingObstacles(task: RestoreTask): Obstacle[] {
  const comm = displayPath(task.core.tc?.comm ?? '')
  return (task.mm?.vmas ?? []).flatMap((vma) => {
    const what = REFUSED.find(([bit]) => vma.status & bit)?.[1]
    if (!what) return []
    const where = `memory ${vma.start.toString(16)}-${vma.end.toString(16)}`
    return [{ pid: task.nsPid, comm, where, what }]
  })
}

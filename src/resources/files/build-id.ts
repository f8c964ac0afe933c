import type { FdProbe } from '../dump-model.ts'

export function buildIdOf(_probe: FdProbe): number[] {
  return []
}

import { statfs } from '../../kernel/layout/files.ts'
import { scratch } from '../../kernel/memory.ts'
import { must } from '../../kernel/sys.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'

const known = new WeakMap<DumpContext, Map<bigint, number>>()

/** Kind of the file system that a file lies on (FS_MAGIC); asked once for each device. */
export function fileSystemOf({ local, stat }: FdProbe, dump: DumpContext): number {
  const byDevice = known.get(dump) ?? new Map<bigint, number>()
  known.set(dump, byDevice)
  const before = byDevice.get(stat.dev)
  if (before !== undefined) return before
  using s = scratch()
  const memory = s.take(statfs.size)
  must('fstatfs', local, memory.address)
  const { type } = statfs.read(memory.view, 0)
  byDevice.set(stat.dev, Number(type))
  return Number(type)
}

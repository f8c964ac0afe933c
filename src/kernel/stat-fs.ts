import { statfs } from './layout/files.ts'
import type { StructValue } from './layout/layout.ts'
import { scratch } from './memory.ts'
import { must } from './sys.ts'

/** fstatfs(2) of a descriptor that must be open. */
export function statFs(fd: number): StructValue<typeof statfs> {
  using s = scratch()
  const memory = s.take(statfs.size)
  must('fstatfs', fd, memory.address)
  return statfs.read(memory.view, 0)
}

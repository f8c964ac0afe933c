import { FIO } from '../../kernel/constants/ioctl.ts'
import { scratch } from '../../kernel/memory.ts'
import { must } from '../../kernel/sys.ts'
import type { DumpContext, FdProbe } from '../dump-model.ts'
import { refuseFile } from '../files/refuse.ts'

/**
 * Refuses a queue of notifications with events in it. They can neither be looked at without taking
 * them, nor be put into another queue: only the kernel does that, for what really happens.
 */
export function refuseUnread(probe: FdProbe, dump: DumpContext, what: string): void {
  using s = scratch()
  const memory = s.take(4)
  must('ioctl', probe.local, FIO.NREAD, memory.address)
  const bytes = memory.view.getUint32(0, true)
  if (bytes === 0) return
  const remedy = 'dump again once the program has read them: they cannot be put into a queue'
  refuseFile(dump, probe, `${what} with events to be read (${bytes} bytes)`, remedy)
}

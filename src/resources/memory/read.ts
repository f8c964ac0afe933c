import { O } from '../../kernel/constants/fcntl.ts'
import { scratch } from '../../kernel/memory.ts'
import { owned, sys, tryOpen } from '../../kernel/sys.ts'
import type { DumpTask } from '../dump-model.ts'

/** A few bytes of a stopped task's memory, whatever its protection; undefined where there is none. */
export function readTaskMemory(
  task: DumpTask,
  address: bigint,
  length: number,
): Uint8Array | undefined {
  const fd = tryOpen(`${task.proc}/mem`, O.RDONLY)
  if (fd < 0) return undefined
  using mem = owned(fd)
  using s = scratch()
  const memory = s.take(length)
  const got = sys('pread64', mem.fd, memory.address, length, address)
  return got === length ? memory.bytes.slice() : undefined
}

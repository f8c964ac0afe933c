import { fail } from '../errors/error.ts'
import { RLIMIT } from '../kernel/constants/resource.ts'
import { rlimit64 } from '../kernel/layout/sched.ts'
import { scratch } from '../kernel/memory.ts'
import { must, sys } from '../kernel/sys.ts'
import type { Plan } from './plan.ts'

/**
 * As many descriptors as we may have: all files of all tasks are open in us at once. Returns how many
 * that are.
 */
export function raiseFileLimit(): bigint {
  using s = scratch()
  const memory = s.take(rlimit64.size)
  must('prlimit64', 0, RLIMIT.NOFILE, 0, memory.address)
  const { rlim_max } = rlimit64.decode(memory.bytes)
  memory.bytes.set(rlimit64.encode({ rlim_cur: rlim_max, rlim_max }))
  sys('prlimit64', 0, RLIMIT.NOFILE, memory.address, 0)
  return rlim_max
}

/** What we need besides the files of the images: pages, the arena, sockets for a moment. */
const SPARE = 200
/** Numbers below are those of the runtime, the log and the image directory. */
const LOWEST = 64

/**
 * The number from which on files are opened: above all that any task has in the end, so that a task
 * can put them in place one after the other. Where the limit is too low for that they begin low, among
 * numbers that tasks are to have: then the order takes some care (descriptor-moves.ts).
 */
export function firstOwnFd({ model, firstFreeFd }: Plan, limit: bigint): number {
  if (BigInt(firstFreeFd) > limit)
    fail({
      code: 'conflict',
      reason: `the images have descriptor ${firstFreeFd - 1}, and criu may have no more than ${limit}`,
      remedy: 'raise the limit of open files (ulimit -Hn, fs.nr_open)',
    })
  const needed = model.files.size + 4 * model.tasks.length + SPARE
  return BigInt(firstFreeFd + needed) <= limit ? firstFreeFd : LOWEST
}

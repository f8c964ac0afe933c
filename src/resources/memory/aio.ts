import { fail } from '../../errors/error.ts'
import { Errno } from '../../kernel/errno.ts'
import { pause } from '../../kernel/pause.ts'
import { displayPath } from '../../kernel/proc/bytes.ts'
import type { TaskAspect } from '../contract.ts'
import type { DumpTask } from '../dump-model.ts'
import { type AioRing, aioRingsOf, requestsOf } from './aio-rings.ts'

/** Requests that are under way complete by themselves, into the ring: waited for this long. */
const LONGEST_WAIT_MS = 5000
/** Milliseconds without a completion after which none is awaited any more. */
const QUIET_MS = 20

/**
 * Contexts of asynchronous I/O: `mm_entry.aios`. Their memory is a mapping, and its content is written
 * with the task's pages.
 *
 * Nobody tells of requests under way: the kernel has no way to ask for them. Those of files complete
 * soon, without the stopped task, and are waited for; a ring into which something came later fails
 * the dump.
 */
export const aio: TaskAspect = {
  name: 'asynchronous I/O',

  collect(task) {
    if (aioRingsOf(task).length === 0) return
    waitUntilQuiet(task)
    task.mm.aios = aioRingsOf(task).map(({ address, nr, length }) => ({
      id: address,
      nr_req: requestsOf(nr),
      ring_len: length,
    }))
  },

  /** A fork copies the mapping and not the context: then the kernel knows none at this address. */
  askProcess(task, table) {
    const asked = aioRingsOf(task).map((ring) => ({
      ring,
      result: table.attempt('io_getevents', ring.address, 0, 0, 0, 0),
    }))
    return () => {
      for (const { ring, result } of asked) {
        if (result.number === -Errno.EINVAL)
          refuse(task, ring, "the ring of an AIO context of another process, left by fork's copy")
      }
    }
  },

  finishDump({ tasks }) {
    for (const task of tasks)
      for (const ring of aioRingsOf(task))
        if (!seen.get(task)?.has(tailKey(ring)))
          refuse(task, ring, 'an AIO request that completed while it was dumped')
  },
}

/** Where rings ended when their tasks were looked at. */
const seen = new WeakMap<DumpTask, Set<string>>()

const tailKey = ({ address, tail }: AioRing): string => `${address}:${tail}`

function waitUntilQuiet(task: DumpTask): void {
  const tails = (): string => aioRingsOf(task).map(tailKey).join()
  let before = tails()
  const end = Date.now() + LONGEST_WAIT_MS
  for (let quiet = 0; quiet < QUIET_MS && Date.now() < end; quiet++) {
    pause(1000)
    const now = tails()
    if (now !== before) quiet = 0
    before = now
  }
  seen.set(task, new Set(before.split(',')))
}

function refuse(task: DumpTask, { address, length }: AioRing, what: string): never {
  const where = `memory ${address.toString(16)}-${(address + BigInt(length)).toString(16)}`
  const remedy = 'let the program wait for its requests, or call io_destroy'
  const obstacle = { pid: task.pid, comm: displayPath(task.stat.comm), where, what, remedy }
  return fail({ code: 'obstacles', obstacles: [obstacle] })
}

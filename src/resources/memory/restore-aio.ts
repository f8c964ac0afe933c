import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import { IOCB_CMD } from '../../kernel/constants/aio.ts'
import { O } from '../../kernel/constants/fcntl.ts'
import { MAP, MREMAP, PROT } from '../../kernel/constants/mman.ts'
import { Errno } from '../../kernel/errno.ts'
import { readSync } from '../../kernel/fs.ts'
import { aioRing, iocb, ioEvent } from '../../kernel/layout/aio.ts'
import { checked, open, owned } from '../../kernel/sys.ts'
import type { Result } from '../../kernel/table.ts'
import type { LocalFd } from '../../kernel/types.ts'
import type { Runner } from '../../tracee/run.ts'
import type { RestoreTask } from '../restore-model.ts'
import { positionsOf } from './aio-rings.ts'
import { readContent } from './restore-content.ts'
import type { PageRuns } from './restore-pages.ts'
import type { TableStep } from './restore-steps.ts'
import { VMA } from './vma-bits.ts'

/** A ring as it was, and where its content is. */
export interface AioRingToMake {
  readonly start: bigint
  readonly length: bigint
  readonly prot: number
  readonly requests: number
  readonly id: number
  readonly nr: number
  readonly head: number
  readonly tail: number
  readonly content: PageRuns
}

/** The rings of a task, and a descriptor for requests that do nothing; undefined where it has none. */
export interface AioPlan {
  readonly rings: readonly AioRingToMake[]
  readonly sink: LocalFd
}

export const isAioVma = ({ status }: Messages['vma_entry']): boolean => (status & VMA.aioRing) !== 0

export function planAio(
  task: RestoreTask,
  runs: PageRuns,
  keep: (fd: LocalFd) => LocalFd,
): AioPlan | undefined {
  const vmas = (task.mm?.vmas ?? []).filter(isAioVma)
  if (vmas.length === 0) return undefined
  const rings = vmas.map(({ start, end, prot }) => {
    const content = runs.without(0, Number(start)).without(Number(end), Number.MAX_SAFE_INTEGER)
    const known = task.mm!.aios.find(({ id }) => id === start)
    if (!known || content.address[0] !== Number(start)) return damaged(task, start)
    const head = aioRing.decode(firstBytes(content, aioRing.size))
    if (head.nr === 0 || head.nr > Number(end - start) / ioEvent.size) return damaged(task, start)
    const length = end - start
    return { start, length, prot, requests: known.nr_req, ...positionsOf(head), content }
  })
  return {
    rings: rings.sort((a, b) => a.id - b.id),
    sink: keep(open('/dev/null', O.RDONLY)),
  }
}

/** The runs of all but the rings. */
export function withoutAio(task: RestoreTask, runs: PageRuns): PageRuns {
  const vmas = (task.mm?.vmas ?? []).filter(isAioVma)
  return vmas.reduce((rest, { start, end }) => rest.without(Number(start), Number(end)), runs)
}

const damaged = (task: RestoreTask, start: bigint): never =>
  fail({
    code: 'image',
    file: `mm-${task.nsPid}.img`,
    reason: `the AIO ring at ${start.toString(16)} is not told of, or lacks its content`,
  })

function firstBytes({ sources, source, offset }: PageRuns, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  readSync(sources[source[0]!]!.fd, bytes, 0, length, offset[0]!)
  return bytes
}

/** As many contexts are made to get the numbers that the old ones had, and are removed again. */
const MOST_GAPS = 1024

/**
 * The contexts of a task, once all else of its memory is in place. The kernel gives each a number and
 * an address; a context follows its ring when that is moved, and its positions go up with each request
 * that completes: as many requests that do nothing as it takes, of which those that the program had
 * read are read.
 */
export function* placeAio(leader: Runner, { rings, sink }: AioPlan): Generator<TableStep> {
  const reserve = leader.table()
  const nowhere = MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED_NOREPLACE
  // Or the kernel would put another one's ring there.
  for (const { start, length } of rings)
    reserve.call('mmap', start, length, PROT.NONE, nowhere, -1, 0)
  yield { table: reserve, what: 'keep room for its AIO rings' }
  const gaps: bigint[] = []
  let next = 0
  for (const ring of rings) {
    for (; next < ring.id && gaps.length < MOST_GAPS; next++) gaps.push(yield* setUp(leader, 1))
    yield* makeRing(leader, ring, yield* setUp(leader, ring.requests), sink)
    next++
  }
  const last = leader.table()
  for (const address of gaps) last.call('io_destroy', address)
  if (last.count > 0) yield { table: last, what: 'remove AIO contexts' }
}

/** Makes a context; its address. */
function* setUp(leader: Runner, requests: number): Generator<TableStep, bigint> {
  const table = leader.table()
  const slot = table.space(8)
  const result = table.attempt('io_setup', requests, slot)
  yield { table, what: 'make an AIO context' }
  if (result.number === -Errno.EAGAIN)
    fail({
      code: 'conflict',
      reason: 'the system has as many AIO requests as it allows',
      remedy: 'raise /proc/sys/fs/aio-max-nr',
    })
  checked(result.number, 'io_setup')
  return slot.view.getBigUint64(0, true)
}

function* makeRing(
  leader: Runner,
  ring: AioRingToMake,
  address: bigint,
  sink: LocalFd,
): Generator<TableStep> {
  const { start, length, nr, head, tail, content, prot } = ring
  const made = aioRing.decode(readMemory(leader.pid, address, aioRing.size)).nr
  if (made !== nr) failSize(nr, made)
  const move = leader.table()
  move.call('mremap', address, length, length, MREMAP.MAYMOVE | MREMAP.FIXED, start)
  yield { table: move, what: 'put an AIO ring in its place' }
  yield* complete(leader, start, head, Math.min(MOST_AT_ONCE, Math.ceil(nr / 4)), 'and read', sink)
  yield* complete(leader, start, (tail - head + nr) % nr, MOST_AT_ONCE, 'only', sink)
  // The first word is what the kernel finds the context by: it stays what it is now.
  const from = Number(start) + aioRing.offsets.nr
  yield* readContent(leader, content.without(0, from))
  if (prot === (PROT.READ | PROT.WRITE)) return
  const protect = leader.table()
  protect.call('mprotect', start, length, prot)
  yield { table: protect, what: 'protect an AIO ring' }
}

/** So many requests a call. */
const MOST_AT_ONCE = 256

/** Completes some requests in a context, and reads their events or leaves them. */
function* complete(
  leader: Runner,
  context: bigint,
  count: number,
  atOnce: number,
  then: 'and read' | 'only',
  sink: LocalFd,
): Generator<TableStep> {
  for (let done = 0; done < count; ) {
    const table = leader.table()
    const request = table.data(iocb.encode({ lio_opcode: IOCB_CMD.PREAD, fildes: sink }))
    const requests = table.space(8 * atOnce)
    for (let i = 0; i < atOnce; i++) requests.view.setBigUint64(8 * i, request.address, true)
    const events = table.space(ioEvent.size * atOnce)
    const asked: { result: Result; some: number }[] = []
    while (done < count && table.room > ROOM) {
      const some = Math.min(atOnce, count - done)
      asked.push({ result: table.call('io_submit', context, some, requests), some })
      if (then === 'and read')
        asked.push({ result: table.call('io_getevents', context, some, some, events, 0), some })
      done += some
    }
    const check = () => {
      for (const { result, some } of asked) checkAll(result, some)
    }
    yield { table, what: 'bring an AIO ring to its position', check }
  }
}

/** Two records. */
const ROOM = 256

function checkAll(result: Result, some: number): void {
  if (result.number === some) return
  const reason = `an AIO ring took ${result.number} of ${some} requests`
  fail({ code: 'conflict', reason, remedy: 'restore again' })
}

const failSize = (nr: number, made: number): never =>
  fail({
    code: 'conflict',
    reason: `an AIO ring with room for ${nr} events has room for ${made} on this machine`,
    remedy: 'restore on a machine with as many CPUs as the old one',
  })

function readMemory(pid: number, address: bigint, length: number): Uint8Array {
  using mem = owned(open(`/proc/${pid}/mem`, O.RDONLY))
  const bytes = new Uint8Array(length)
  readSync(mem.fd, bytes, 0, length, Number(address))
  return bytes
}

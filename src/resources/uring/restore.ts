import { fail } from '../../errors/error.ts'
import type { Messages } from '../../images/gen/messages.ts'
import {
  FUTEX,
  FUTEX_OP_ADD_SHIFTED,
  IORING_OFF,
  IORING_REGISTER,
  IORING_SETUP,
} from '../../kernel/constants/io-uring.ts'
import { iovec } from '../../kernel/layout/memory.ts'
import { scratch } from '../../kernel/memory.ts'
import { checked, must, runLocally, sys } from '../../kernel/sys.ts'
import { Table } from '../../kernel/table.ts'
import { fileId, type LocalFd } from '../../kernel/types.ts'
import type { RestoreContext } from '../restore-model.ts'
import { type Geometry, type Region, setUp, tryMap } from './region.ts'

type UringEntry = Messages['criuts_uring']

/**
 * A ring with its positions and content. Positions only go up, with each request that completes: as many
 * requests that do nothing as the old one had.
 *
 * Some flags do not show in a ring, or only to one thread. The new ring is one that serves a program that
 * has asked for them and one that has not: all of a submission is taken (SUBMIT_ALL); any thread may use
 * it (no SINGLE_ISSUER); completions come without being asked for (no COOP_TASKRUN, no DEFER_TASKRUN).
 */
export function makeRing(entry: UringEntry, restore: RestoreContext): LocalFd {
  const { sq_entries: sqEntries, cq_entries: cqEntries, setup } = entry
  const flags = setup | IORING_SETUP.SUBMIT_ALL
  const { fd, geometry } = setUp({ sqEntries, cqEntries, flags })
  using rings = tryMap(fd, IORING_OFF.SQ_RING, geometry.ringsSize)
  using sqes = tryMap(fd, IORING_OFF.SQES, geometry.sqesSize)
  if (!rings || !sqes || !fits(entry, geometry)) return failLayout()
  if (geometry.array !== undefined)
    for (let i = 0; i < sqEntries; i++) rings.view.setUint32(geometry.array + 4 * i, i, true)
  advance({ fd, rings, geometry, sqEntries }, entry.cq_head, entry.cq_tail, restore)
  if (rings.view.getUint32(geometry.cqTail, true) !== entry.cq_tail)
    fail({ code: 'conflict', reason: `an io_uring did not come to position ${entry.cq_tail}` })
  rings.bytes.set(entry.rings)
  sqes.bytes.set(entry.sqes)
  return fd
}

/** Its memory is what this kernel makes of one of that size. */
function fits(entry: UringEntry, geometry: Geometry): boolean {
  const { rings, sqes, sq_entries, cq_entries, cq_head, cq_tail } = entry
  if (rings.length !== geometry.ringsSize || sqes.length !== geometry.sqesSize) return false
  const view = new DataView(rings.buffer, rings.byteOffset)
  return (
    view.getUint32(geometry.sqMask, true) === sq_entries - 1 &&
    view.getUint32(geometry.cqMask, true) === cq_entries - 1 &&
    // Nobody waits for thousands of millions of requests because of a bit that is wrong.
    view.getUint32(geometry.cqHead, true) === cq_head &&
    view.getUint32(geometry.cqTail, true) === cq_tail
  )
}

const failLayout = (): never =>
  fail({
    code: 'conflict',
    reason: 'this kernel lays out the memory of an io_uring in another way',
    remedy: 'restore on the kernel that the dump was made on',
  })

interface Ring {
  readonly fd: LocalFd
  readonly rings: Region
  readonly geometry: Geometry
  readonly sqEntries: number
}

/** Completes all that was read by now, and then what lies unread. */
function advance(ring: Ring, head: number, tail: number, restore: RestoreContext): void {
  const { rings, geometry, sqEntries } = ring
  rings.view.setUint32(geometry.sqTail, head, true)
  const whole = Math.floor(head / sqEntries)
  if (whole > 0) completeAndRead(ring, whole, restore)
  submit(ring, head % sqEntries)
  rings.view.setUint32(geometry.cqHead, head, true)
  // From here on the head stays: the kernel keeps count of what is free behind it.
  rings.view.setUint32(geometry.sqTail, tail, true)
  for (let unread = (tail - head) >>> 0; unread > 0; unread -= Math.min(unread, sqEntries))
    submit(ring, Math.min(unread, sqEntries))
}

function submit({ fd }: Ring, count: number): void {
  if (count > 0 && must('io_uring_enter', fd, count, 0, 0, 0, 0) !== count)
    fail({ code: 'internal', reason: 'an io_uring did not take all requests' })
}

const PAIRS = 2000
const TELL_MS = 2000

/**
 * Rounds in which the whole submission queue completes, and the head of the completion queue follows: 8
 * to 14 million requests a second.
 */
function completeAndRead(ring: Ring, rounds: number, { log, abort }: RestoreContext): void {
  const { fd, rings, geometry, sqEntries } = ring
  using s = scratch()
  const head = rings.address + BigInt(geometry.cqHead)
  const add = FUTEX_OP_ADD_SHIFTED | (Math.log2(sqEntries) << 12)
  const operation = FUTEX.WAKE_OP | FUTEX.PRIVATE_FLAG
  const tableOf = (count: number): Table => {
    const table = new Table(s.take(count * 128))
    for (let i = 0; i < count; i++) {
      table.call('io_uring_enter', fd, sqEntries, 0, 0, 0, 0)
      table.call('futex', head, operation, 0, 0, head, add >>> 0)
    }
    return table
  }
  const many = tableOf(Math.min(PAIRS, rounds))
  let told = Date.now()
  for (let left = rounds; left > 0; left -= PAIRS) {
    abort?.check()
    const table = left >= PAIRS || rounds < PAIRS ? many : tableOf(left)
    runLocally(table)
    const failure = table.failure()
    if (failure) checked(-failure.errno, 'io_uring_enter')
    if (Date.now() - told < TELL_MS) continue
    told = Date.now()
    log.info(`an io_uring is at position ${(rounds - left) * sqEntries} of ${rounds * sqEntries}`)
  }
}

/** Files and the eventfd, all of which are open. */
export function registerFiles(entry: UringEntry, fd: LocalFd, restore: RestoreContext): void {
  const register = (operation: number, numbers: readonly number[]): void => {
    using s = scratch()
    const memory = s.take(4 * numbers.length)
    numbers.forEach((number, i) => {
      memory.view.setInt32(4 * i, number, true)
    })
    const result = sys('io_uring_register', fd, operation, memory.address, numbers.length)
    checked(result, 'io_uring_register', { kind: 'io_uring' })
  }
  if (entry.files_count) {
    const slots = Array.from({ length: entry.files_count }, () => EMPTY)
    for (const { slot, id } of entry.files) slots[slot] = restore.files.description(fileId(id))
    register(IORING_REGISTER.FILES, slots)
  }
  if (entry.eventfd !== undefined)
    register(IORING_REGISTER.EVENTFD, [restore.files.description(fileId(entry.eventfd))])
}

const EMPTY = -1

/** Memory of the task, which it must register itself. */
export function registerBuffers({ buffers }: UringEntry, fd: number, table: Table): void {
  if (buffers.length === 0) return
  const slot = table.space(iovec.size * buffers.length)
  buffers.forEach(({ address, length }, i) => {
    iovec.write(slot.view, i * iovec.size, { base: address, len: BigInt(length) })
  })
  table.call('io_uring_register', fd, IORING_REGISTER.BUFFERS, slot, buffers.length)
}

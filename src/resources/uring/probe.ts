import { IORING_REGISTER, IORING_SETUP } from '../../kernel/constants/io-uring.ts'
import { Errno } from '../../kernel/errno.ts'
import { scratch } from '../../kernel/memory.ts'
import { runLocally, sys } from '../../kernel/sys.ts'
import { Table } from '../../kernel/table.ts'
import type { LocalFd } from '../../kernel/types.ts'
import { tryMap } from './region.ts'

/** An address that no process has: a call that reads from there has come past all its other checks. */
const NOWHERE = 8

/** What of a ring is found out by calls that fail in one way or in another, and change nothing. */
export interface UringTraits {
  /** Flags of io_uring_setup, as far as they show. */
  readonly setup: number
  /** One thread alone may use it, and is the only one that gets answers to the rest (SINGLE_ISSUER). */
  readonly isOthers: boolean
  readonly hasEventfd: boolean
  readonly isRestricted: boolean
}

type Register = (operation: number) => number

export function traitsOf(fd: LocalFd): UringTraits {
  const register: Register = (operation) => sys('io_uring_register', fd, operation, NOWHERE, 1)
  const isDisabled = sys('io_uring_enter', fd, 0, 0, 0, 0, 0) === -Errno.EBADFD
  const traits = traitsBy(register)
  const others = isDisabled ? IORING_SETUP.R_DISABLED : 0
  const noMemory = hasOwnMemory(fd) ? 0 : IORING_SETUP.NO_MMAP
  return { ...traits, setup: traits.setup | others | noMemory }
}

/** The same, asked in a thread of the task by a number of its own. */
export function askTraits(table: Table, fd: number): () => UringTraits {
  const operations: number[] = [PROBE, RESTRICTIONS, NAPI, EVENTFD]
  const results = new Map(
    operations.map((operation) => [
      operation,
      table.attempt('io_uring_register', fd, operation, NOWHERE, 1),
    ]),
  )
  return () => traitsBy((operation) => results.get(operation)!.number)
}

const { PROBE, RESTRICTIONS, NAPI, EVENTFD } = IORING_REGISTER

function traitsBy(register: Register): UringTraits {
  const restrictions = register(RESTRICTIONS)
  return {
    setup: register(NAPI) === -Errno.EINVAL ? IORING_SETUP.IOPOLL : 0,
    isOthers: register(PROBE) === -Errno.EEXIST,
    hasEventfd: register(EVENTFD) === -Errno.EBUSY,
    isRestricted: restrictions === -Errno.EACCES || restrictions === -Errno.EBUSY,
  }
}

/** The head of the rings can be mapped: with NO_MMAP they lie in the program's memory. */
function hasOwnMemory(fd: LocalFd): boolean {
  for (let pages = 1; pages <= MOST_PAGES; pages++) {
    using region = tryMap(fd, 0, pages * 4096)
    if (region) return true
  }
  return false
}

/** 32768 and 65536 entries of 32 bytes, and the array. */
const MOST_PAGES = 600

/** As findBufferGroup, of the first groups: a thread's table has no room for all. */
export function askBufferGroups(table: Table, fd: number): () => number | undefined {
  const count = Math.min(MOST_ASKED, Math.floor((table.room - SPARE) / (64 + STATUS_SIZE)))
  const results = Array.from({ length: Math.max(0, count) }, (_, group) => {
    const slot = table.space(STATUS_SIZE)
    slot.view.setUint32(0, group, true)
    return table.attempt('io_uring_register', fd, IORING_REGISTER.PBUF_STATUS, slot, 1)
  })
  return () => {
    const found = results.findIndex(({ number }) => number !== -Errno.ENOENT)
    return found < 0 ? undefined : found
  }
}

const MOST_ASKED = 256
/** What others may still want of the table. */
const SPARE = 8192

/** Groups of buffers have numbers of 16 bits. */
const GROUPS = 1 << 16
const AT_ONCE = 1 << 11
const STATUS_SIZE = 40

/**
 * A group of buffers that the program provides, if there is one; the kernel has no list of them, so that
 * each number is asked for (IORING_REGISTER_PBUF_STATUS, since Linux 6.8): 65536 in some 10 ms.
 */
export function findBufferGroup(fd: LocalFd): number | undefined {
  using s = scratch()
  const table = new Table(s.take(AT_ONCE * (64 + STATUS_SIZE) + 64))
  const asked = Array.from({ length: AT_ONCE }, () => {
    const slot = table.space(STATUS_SIZE)
    const result = table.attempt('io_uring_register', fd, IORING_REGISTER.PBUF_STATUS, slot, 1)
    return { slot, result }
  })
  for (let first = 0; first < GROUPS; first += AT_ONCE) {
    asked.forEach(({ slot }, i) => {
      slot.view.setUint32(0, first + i, true)
    })
    runLocally(table)
    // EINVAL: a group of the older kind (IORING_OP_PROVIDE_BUFFERS), or a kernel that does not tell.
    const found = asked.findIndex(({ result }) => result.number !== -Errno.ENOENT)
    if (found >= 0) return first + found
  }
  return undefined
}

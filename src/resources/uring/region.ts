import { IORING_OFF, IORING_SETUP } from '../../kernel/constants/io-uring.ts'
import { MAP, PROT } from '../../kernel/constants/mman.ts'
import { SIG } from '../../kernel/constants/signals.ts'
import { Errno } from '../../kernel/errno.ts'
import { ioUringParams } from '../../kernel/layout/io-uring.ts'
import { type Memory, memoryAt, scratch } from '../../kernel/memory.ts'
import { checked, close, sys } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'

const PAGE = 4096
const SQE_SIZE = 64
const CQE_SIZE = 16

/** What decides the layout of a ring's memory. */
export interface Shape {
  readonly sqEntries: number
  readonly cqEntries: number
  /** SQE128, CQE32, NO_SQARRAY. */
  readonly flags: number
}

/** Where things are in the memory of a ring, as this kernel lays it out. */
export interface Geometry {
  readonly sqHead: number
  readonly sqTail: number
  readonly sqMask: number
  readonly cqHead: number
  readonly cqTail: number
  readonly cqMask: number
  readonly cqes: number
  /** Undefined: entries are taken in their order (NO_SQARRAY). */
  readonly array: number | undefined
  /** Bytes. */
  readonly ringsSize: number
  readonly sqesSize: number
}

/** Makes a ring; its descriptor, and how its memory is laid out. */
export function setUp({ sqEntries, cqEntries, flags }: Shape): { fd: LocalFd; geometry: Geometry } {
  using s = scratch()
  const asked = { cq_entries: cqEntries, flags: flags | IORING_SETUP.CQSIZE }
  const memory = s.put(ioUringParams.encode(asked))
  const result = sys('io_uring_setup', sqEntries, memory.address)
  const fd = localFd(checked(result, 'io_uring_setup', { kind: 'io_uring' }))
  const { sq_off: sq, cq_off: cq } = ioUringParams.read(memory.view, 0)
  const array = flags & IORING_SETUP.NO_SQARRAY ? undefined : sq.array
  const cqeSize = flags & IORING_SETUP.CQE32 ? 2 * CQE_SIZE : CQE_SIZE
  const geometry = {
    sqHead: sq.head,
    sqTail: sq.tail,
    sqMask: sq.ring_mask,
    cqHead: cq.head,
    cqTail: cq.tail,
    cqMask: cq.ring_mask,
    cqes: cq.cqes,
    array,
    ringsSize: array === undefined ? cq.cqes + cqEntries * cqeSize : array + 4 * sqEntries,
    sqesSize: sqEntries * (flags & IORING_SETUP.SQE128 ? 2 * SQE_SIZE : SQE_SIZE),
  }
  return { fd, geometry }
}

/** How a ring of that shape would be laid out. */
export function geometryOf(shape: Shape): Geometry {
  const { fd, geometry } = setUp(shape)
  close(fd)
  return geometry
}

/** A part of a ring's memory as ours. */
export type Region = Memory & Disposable

/** Undefined where the ring has less, or is in memory of the program's own. */
export function tryMap(fd: LocalFd, offset: number, size: number): Region | undefined {
  const length = roundUp(size)
  const address = sys('mmap', 0, length, PROT.READ | PROT.WRITE, MAP.SHARED, fd, offset)
  if (address < 0 && address >= -4095) return undefined
  const region = {
    ...memoryAt(BigInt(address), length),
    [Symbol.dispose]: () => void sys('munmap', address, length),
  }
  if (isReadable(region.address + BigInt(length - SIGACTION_SIZE))) return region
  region[Symbol.dispose]()
  return undefined
}

/** A kernel may map more than a ring has, and leave holes (seen on 6.18). */
function isReadable(address: bigint): boolean {
  // The kernel copies an action from there, and then does nothing with it: SIGKILL has none.
  return sys('rt_sigaction', SIG.KILL, address, 0, 8) !== -Errno.EFAULT
}

const SIGACTION_SIZE = 32

const roundUp = (size: number): number => Math.ceil(size / PAGE) * PAGE

/**
 * Which shape the memory of a ring has, as far as its pages tell; small ones look alike. What the kernel
 * tells nowhere else: larger entries (SQE128, CQE32), and whether there is an array of indices.
 */
export function shapeOf(fd: LocalFd, sqEntries: number, cqEntries: number): Shape | undefined {
  const { SQE128, CQE32, NO_SQARRAY } = IORING_SETUP
  const fits = (flags: number): boolean => {
    const { ringsSize, sqesSize } = geometryOf({ sqEntries, cqEntries, flags })
    return (
      hasExactly(fd, IORING_OFF.SQ_RING, ringsSize) && hasExactly(fd, IORING_OFF.SQES, sqesSize)
    )
  }
  const flags = [0, SQE128].flatMap((sqe) =>
    [0, NO_SQARRAY, CQE32, CQE32 | NO_SQARRAY].map((other) => sqe | other),
  )
  const found = flags.find(fits)
  return found === undefined ? undefined : { sqEntries, cqEntries, flags: found }
}

function hasExactly(fd: LocalFd, offset: number, size: number): boolean {
  using exact = tryMap(fd, offset, size)
  using more = exact && tryMap(fd, offset, size + PAGE)
  return exact !== undefined && more === undefined
}

import { AIO_RING_MAGIC } from '../../kernel/constants/aio.ts'
import { aioRing, ioEvent } from '../../kernel/layout/aio.ts'
import type { SmapsMapping } from '../../kernel/proc/maps.ts'
import type { DumpTask } from '../dump-model.ts'
import { readTaskMemory } from './read.ts'

/** The ring of a context of asynchronous I/O (io_setup), as a task has it mapped. */
export interface AioRing {
  /** Its address, which is the context's id for the program. */
  readonly address: bigint
  readonly length: number
  /** Inode of the memory: the same only for what a fork has copied. */
  readonly inode: bigint
  readonly id: number
  readonly nr: number
  readonly head: number
  readonly tail: number
}

export const isAioRing = ({ path }: SmapsMapping): boolean => path.startsWith('/[aio]')

/** All rings of a task that are as io_setup made them. */
export const aioRingsOf = (task: DumpTask): AioRing[] =>
  task.maps.filter(isAioRing).flatMap((mapping) => tryReadRing(task, mapping) ?? [])

/** What is wrong with a mapped ring; undefined: it can be dumped. */
export function whyRefusedRing(task: DumpTask, mapping: SmapsMapping): string | undefined {
  const ring = tryReadRing(task, mapping)
  return ring === undefined ? 'a part of an AIO ring' : undefined
}

function tryReadRing(task: DumpTask, mapping: SmapsMapping): AioRing | undefined {
  const { start, end, offset, inode } = mapping
  const head = readTaskMemory(task, start, aioRing.size)
  if (!head || offset !== 0n) return undefined
  const ring = aioRing.decode(head)
  const length = Number(end - start)
  const isWhole = roomOf(length) === ring.nr
  if (ring.magic !== AIO_RING_MAGIC || ring.incompat_features !== 0 || !isWhole) return undefined
  return { ...positionsOf(ring), address: start, length, inode }
}

/** Events that fit in so many bytes (fs/aio.c, aio_setup_ring). */
const roomOf = (length: number): number => Math.floor((length - aioRing.size) / ioEvent.size)

/** A program may write what it likes as head; the kernel takes it modulo the room. */
export function positionsOf({ id, nr, head, tail }: ReturnType<typeof aioRing.decode>) {
  return { id, nr, head: head % nr, tail: tail % nr }
}

/**
 * How many requests were asked for, as far as the ring tells it: the kernel takes at least four for
 * each CPU, twice as many, two more, and then what fits in whole pages.
 */
export const requestsOf = (nr: number): number => Math.floor((nr - 2) / 2)

import { fail } from '../../errors/error.ts'
import { noProgress, type Progress } from '../../job/progress.ts'
import { MADV } from '../../kernel/constants/mman.ts'
import { iovec } from '../../kernel/layout/memory.ts'
import type { Result } from '../../kernel/table.ts'
import type { Runner } from '../../tracee/run.ts'
import type { PageRuns } from './restore-pages.ts'
import type { SteppedRunner, TableStep } from './restore-steps.ts'

/** One call of more is many times slower (page cache and lock contention). */
const MOST_BYTES = 1 << 20
const PAGE = 4096
/** IOV_MAX of the kernel. */
const MOST_PIECES = 1024
/** Shorter runs are not worth a call of their own to have their pages made. */
const POPULATE_FROM = 16 * PAGE
const ROOM = 2 * 64 + MOST_PIECES * iovec.size + 64

interface Read {
  readonly result: Result
  readonly length: number
  readonly file: string
}

/**
 * Reads pages where they belong, by the task itself: pieces of up to 1 MiB, scattered ones gathered,
 * since they lie one behind the other in the file.
 */
export function* readContent(
  runner: Runner,
  runs: PageRuns,
  progress: Progress = noProgress,
): Generator<TableStep> {
  let reads: Read[] = []
  let bytes = 0
  let table = runner.table()
  const step = (): TableStep => {
    const [done, moved] = [reads, bytes]
    reads = []
    bytes = 0
    const check = (): void => {
      done.forEach(checkRead)
      progress.advance(moved)
    }
    return { table, what: 'read pages', check }
  }
  for (const group of groups(runs)) {
    if (table.room < ROOM || bytes >= progress.grain) {
      yield step()
      table = runner.table()
    }
    for (const { address, length } of group.pieces)
      if (length >= POPULATE_FROM) table.attempt('madvise', address, length, MADV.POPULATE_WRITE)
    const slot = table.space(group.pieces.length * iovec.size)
    group.pieces.forEach(({ address, length }, i) => {
      iovec.write(slot.view, i * iovec.size, { base: BigInt(address), len: BigInt(length) })
    })
    const { fd, file } = runs.sources[group.source]!
    const result = table.call('preadv', fd, slot, group.pieces.length, group.offset, 0)
    reads.push({ result, length: group.length, file })
    bytes += group.length
  }
  if (reads.length > 0) yield step()
}

/**
 * As readContent, by two threads: each reads half of the bytes, and both write to memory at the same
 * time, which is what takes longest.
 */
export function* readContentBeside(
  runner: Runner,
  worker: SteppedRunner,
  runs: PageRuns,
  progress: Progress,
): Generator<TableStep> {
  const middle = middleOf(runs)
  const mine = readContent(runner, runs.without(middle, Number.POSITIVE_INFINITY), progress)
  const theirs = readContent(worker, runs.without(0, middle), progress)
  for (;;) {
    const [one, other] = [mine.next(), theirs.next()]
    if (one.done && other.done) return
    const step = one.done ? idle(runner) : one.value
    yield other.done ? step : { ...step, beside: { ...other.value, runner: worker } }
  }
}

/** A step that does nothing, while there is only something to do beside it. */
function idle(runner: Runner): TableStep {
  const table = runner.table()
  table.call('sched_yield')
  return { table, what: 'wait' }
}

/** The address with as many bytes before it as behind it. */
function middleOf(runs: PageRuns): number {
  let before = 0
  for (let i = 0; i < runs.count; i++) {
    const rest = runs.total / 2 - before
    if (runs.length[i]! >= rest) return runs.address[i]! + Math.ceil(rest / PAGE) * PAGE
    before += runs.length[i]!
  }
  return 0
}

function checkRead({ result, length, file }: Read): void {
  if (result.number !== length)
    fail({
      code: 'image',
      file,
      reason: `cut off: ${result.number} bytes of ${length} could be read`,
    })
}

interface Group {
  readonly source: number
  readonly offset: number
  length: number
  readonly pieces: { address: number; length: number }[]
}

/** Pieces that one call reads: one behind the other in one file. */
function* groups(runs: PageRuns): Generator<Group> {
  let group: Group | undefined
  for (let i = 0; i < runs.count; i++) {
    const source = runs.source[i]!
    for (let done = 0; done < runs.length[i]!; ) {
      const offset = runs.offset[i]! + done
      const fits =
        group !== undefined &&
        group.source === source &&
        group.offset + group.length === offset &&
        group.length < MOST_BYTES &&
        group.pieces.length < MOST_PIECES
      if (group && !fits) yield group
      if (!group || !fits) group = { source, offset, length: 0, pieces: [] }
      const length = Math.min(runs.length[i]! - done, MOST_BYTES - group.length)
      group.pieces.push({ address: runs.address[i]! + done, length })
      group.length += length
      done += length
    }
  }
  if (group) yield group
}

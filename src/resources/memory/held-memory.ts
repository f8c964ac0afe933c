import type { Progress } from '../../job/progress.ts'
import type { TraceeFd } from '../../kernel/types.ts'
import type { Log } from '../../log/log.ts'
import type { Infection } from '../../tracee/infection.ts'
import type { Snapshot } from '../../tracee/snapshot.ts'
import type { DumpContext } from '../dump-model.ts'
import type { TaskMemory } from './dump-memory.ts'
import type { PageSegment } from './dump-pages.ts'
import { memoryHeadroom } from './headroom.ts'
import { PageWriting, writeAll } from './write-pages.ts'

/** Pages of one task that its own address space, or a copy of it, writes. */
export interface OwnPages {
  readonly memory: TaskMemory
  readonly infection: Infection
  readonly segments: readonly PageSegment[]
  /** Its image, as the task's helper has it open. */
  readonly image: TraceeFd
}

/** Below so many bytes they are written in the time that the forks would take. */
const WORTH_IT = 16 << 20

/**
 * May the tasks go on while copies of their memory are written? Only those that run on after the dump;
 * with scripts that see the tree and its images at one moment it must stand still. While a copy is
 * held, what the task writes to needs a second page: there must be room for all of them.
 */
export function mayHold(
  pages: readonly OwnPages[],
  { options, scripts, log }: DumpContext,
): boolean {
  if (options.finalState !== 'running' || !scripts.isEmpty) return false
  const size = pages.reduce((sum, { segments }) => sum + sizeOf(segments), 0)
  if (size < WORTH_IT || pages.some(({ memory }) => isWatched(memory))) return false
  const room = Math.min(...pages.map(({ memory }) => memoryHeadroom(memory.task.proc)))
  if (size < room) return true
  log.info(`no copy of the memory is held: ${room} bytes are free, up to ${size} would be needed`)
  return false
}

const sizeOf = (segments: readonly PageSegment[]): number =>
  segments.reduce((sum, { length }) => sum + length, 0)

/** A monitor of page faults (userfaultfd) would be told of the fork. */
const isWatched = ({ task }: TaskMemory): boolean =>
  task.maps.some(({ vmFlags }) => ['um', 'uw', 'ui'].some((flag) => vmFlags.has(flag)))

/**
 * The memory of all tasks as it was at one moment, in copies made by fork: the tasks go on while it is
 * written. The helpers stay in the tasks until the end, when they wait for the copies.
 */
export class HeldMemory implements Disposable {
  readonly #copies: readonly { readonly copy: Snapshot; readonly pages: OwnPages }[]

  private constructor(copies: readonly { readonly copy: Snapshot; readonly pages: OwnPages }[]) {
    this.#copies = copies
  }

  /** Undefined where one of the tasks may have no further process. */
  static hold(tasks: readonly OwnPages[], log: Log): HeldMemory | undefined {
    const copies: { copy: Snapshot; pages: OwnPages }[] = []
    for (const pages of tasks) {
      const copy = pages.infection.fork()
      if (copy) copies.push({ copy, pages })
      else {
        log.info(`no copy of the memory of process ${pages.infection.pid} can be held`)
        new HeldMemory(copies)[Symbol.dispose]()
        return undefined
      }
    }
    return new HeldMemory(copies)
  }

  write(progress: Progress): void {
    writeAll(
      this.#copies.map(({ copy, pages: { image, segments } }) => {
        const later = segments.filter(({ inForks }) => inForks)
        return new PageWriting(copy, image, later, progress)
      }),
    )
  }

  [Symbol.dispose](): void {
    for (const { copy } of this.#copies) copy[Symbol.dispose]()
  }
}

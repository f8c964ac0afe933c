import type { Mapping } from '../kernel/proc/maps.ts'
import type { Table } from '../kernel/table.ts'
import type { HostPid, NsPid } from '../kernel/types.ts'
import type { RestoreTask } from '../resources/restore-model.ts'
import { COMPAT_END, isCompatRestore } from '../resources/task-abi.ts'
import { findHole, tryFindHole } from '../tracee/hole.ts'
import { changeWidth, makeStubPrograms, type StubPrograms } from '../tracee/stub-exec.ts'
import type { RestoreRun } from './state.ts'

/** A process that was just made. */
interface Newborn {
  readonly pid: NsPid
  readonly host: HostPid
  /** The process whose memory it has; undefined for the first. */
  readonly by: NsPid | undefined
  /** Undefined for a helper. */
  readonly task: RestoreTask | undefined
  /** One of its own. */
  readonly table: Table
}

/** Where a program may end that wants 1 GiB less (ADDR_LIMIT_3GB), and far from fresh stacks. */
const COMPAT_COMFORT = 0xc0000000n
/** Fresh stacks and the kernel's mappings stand above. */
const COMPAT_LIMIT = COMPAT_END - 0x10000000n

/**
 * Which stubs are programs of 32 bits. The first one is of 64; each is what its creator is, until it
 * becomes the other. Trees of 64 bits alone pay nothing for it.
 */
export class Widths {
  readonly #run: RestoreRun
  readonly #compat = new Map<NsPid, boolean>()
  readonly #programs: StubPrograms | undefined

  /** Before the first task is made: the programs are inherited. */
  constructor(run: RestoreRun) {
    this.#run = run
    if (!run.model.tasks.some(isCompatRestore)) return
    this.#programs = makeStubPrograms(run.plan.firstFreeFd)
    run.files.adopt(this.#programs.native)
    run.files.adopt(this.#programs.compat)
  }

  /** An address for the arena, in a gap that all tasks have: below 4 GiB if one of them ends there. */
  findHole(taken: readonly Pick<Mapping, 'start' | 'end'>[]): bigint {
    const { span } = this.#run.arena
    if (!this.#programs) return findHole(taken, span)
    return tryFindHole(taken, span, COMPAT_COMFORT) ?? findHole(taken, span, COMPAT_LIMIT)
  }

  /** Gives a new process the width of its task; true if its memory is another than its creator's now. */
  settle({ pid, host, by, task, table }: Newborn): boolean {
    if (!this.#programs) return false
    const now = by !== undefined && this.#compat.get(by) === true
    const wanted = task?.mm ? isCompatRestore(task) : now
    this.#compat.set(pid, wanted)
    if (wanted === now) return false
    changeWidth(host, this.#run.arena, table.reset(), this.#programs, wanted)
    return true
  }
}

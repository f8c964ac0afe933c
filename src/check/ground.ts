import { fail } from '../errors/error.ts'
import { MAP, PROT } from '../kernel/constants/mman.ts'
import { PR } from '../kernel/constants/prctl.ts'
import { CLONE } from '../kernel/constants/sched.ts'
import { SIG } from '../kernel/constants/signals.ts'
import { existsSync, makeTemporarySync, removeAllSync } from '../kernel/fs.ts'
import { cloneArgs } from '../kernel/layout/sched.ts'
import { memoryAt, scratch } from '../kernel/memory.ts'
import type { NetNamespace } from '../kernel/netlink/namespace.ts'
import { pause } from '../kernel/pause.ts'
import { readProcFile } from '../kernel/proc/read.ts'
import { checked, must, spawnTable, sys } from '../kernel/sys.ts'
import { Table } from '../kernel/table.ts'
import { type HostPid, hostPid } from '../kernel/types.ts'
import { waitStop } from '../kernel/wait.ts'

const TABLE_SIZE = 64 * 1024
/** A child that does not come to its end within so many milliseconds hangs in the kernel. */
const PATIENCE = 5000

/** A child that has run its table and now waits to be looked at; it ends with the scope. */
export interface HeldChild extends Disposable {
  readonly pid: HostPid
  readonly proc: string
}

/**
 * Where features are tried out: in children of ours, which have memory and namespaces of their own
 * where we must not be disturbed. All that they run is a table of system calls.
 */
export class Ground implements Disposable {
  #network: HeldChild | undefined
  #directory: string | undefined

  /**
   * Runs a table in a child with the given namespaces. Its memory is a copy, so that it may change what
   * it likes; the table alone is shared, and has the answers: `build` may return what reads them. A call
   * that fails is the error.
   */
  inChild<T>(flags: bigint, build: (table: Table) => () => T): T
  inChild(flags: bigint, build: (table: Table) => void): void
  // biome-ignore lint/suspicious/noConfusingVoidType: what has no answers returns nothing.
  inChild<T>(flags: bigint, build: (table: Table) => (() => T) | void): T | undefined {
    using shared = new SharedTable()
    const read = build(shared.table)
    shared.table.call('exit_group', 0)
    const pid = spawn(shared.table, flags)
    waitForChild(pid)
    failIfStopped(shared.table)
    return read ? read() : undefined
  }

  /** A child that waits once it has run its table. */
  hold(flags: bigint, build: (table: Table) => void): HeldChild {
    const shared = new SharedTable()
    shared.table.call('prctl', PR.SET_PDEATHSIG, SIG.KILL)
    build(shared.table)
    const ready = shared.table.call('getpid')
    shared.table.call('pause')
    const pid = spawn(shared.table, flags)
    const end = () => {
      sys('kill', pid, SIG.KILL)
      waitForChild(pid)
      shared[Symbol.dispose]()
    }
    try {
      const isReady = () => ready.value !== undefined || shared.table.failure() !== undefined
      if (!within(PATIENCE, isReady)) fail({ code: 'conflict', reason: 'it hangs in the kernel' })
      failIfStopped(shared.table)
    } catch (error) {
      end()
      throw error
    }
    return { pid, proc: `/proc/${pid}`, [Symbol.dispose]: end }
  }

  /** A network namespace in which nothing is. */
  get network(): NetNamespace {
    this.#network ??= this.hold(CLONE.NEWNET, () => {})
    return `${this.#network.proc}/ns/net`
  }

  /** A directory of ours, in which files may be made. */
  get directory(): string {
    this.#directory ??= makeTemporarySync('/tmp/criu-check-')
    return this.#directory
  }

  [Symbol.dispose](): void {
    this.#network?.[Symbol.dispose]()
    if (this.#directory !== undefined) removeAllSync(this.#directory)
  }
}

/** A pid that nobody has. */
export function freePid(): number {
  const limit = Number(readProcFile('/proc/sys/kernel/pid_max'))
  for (let tries = 0; tries < 1000; tries++) {
    const pid = 300 + Math.floor(Math.random() * (limit - 300))
    if (!existsSync(`/proc/${pid}`)) return pid
  }
  return fail({ code: 'conflict', reason: 'no pid is free' })
}

/** A table in memory that our children share with us. */
class SharedTable implements Disposable {
  readonly table: Table
  readonly #address: bigint

  constructor() {
    const flags = MAP.SHARED | MAP.ANONYMOUS
    this.#address = BigInt(must('mmap', 0, TABLE_SIZE, PROT.READ | PROT.WRITE, flags, -1, 0))
    this.table = new Table(memoryAt(this.#address, TABLE_SIZE))
  }

  [Symbol.dispose](): void {
    sys('munmap', this.#address, TABLE_SIZE)
  }
}

function spawn(table: Table, flags: bigint): HostPid {
  const args = cloneArgs.encode({ flags, exit_signal: BigInt(SIG.CHLD) })
  return hostPid(checked(spawnTable(args, table), 'clone3'))
}

function waitForChild(pid: HostPid): void {
  for (;;) {
    const stop = waitStop(pid)
    if (stop.kind === 'exited' || stop.kind === 'killed') return
  }
}

/** What a table that ended early is reported as. */
function failIfStopped(table: Table): void {
  const failure = table.failure()
  if (failure) fail({ code: 'syscall', operation: nameOf(failure.nr), errno: failure.errno })
}

// require, not import: names of all system calls are needed for a failure alone.
const nameOf = (nr: number): string =>
  (
    require('../arch/x86_64/syscalls.ts') as typeof import('../arch/x86_64/syscalls.ts')
  ).syscallName(nr) ?? `system call ${nr}`

function within(millis: number, condition: () => boolean): boolean {
  for (const end = performance.now() + millis; !condition(); pause(50))
    if (performance.now() > end) return false
  return true
}

/** `size` zeroed bytes of ours, mapped for as long as the scope lasts. */
export function mapped(size: number): { readonly address: bigint } & Disposable {
  const flags = MAP.PRIVATE | MAP.ANONYMOUS
  const address = BigInt(must('mmap', 0, size, PROT.READ | PROT.WRITE, flags, -1, 0))
  return { address, [Symbol.dispose]: () => void sys('munmap', address, size) }
}

/** A four-byte answer of a call that writes it to an address. */
export function askInt(call: (address: bigint) => number, operation: string): number {
  using s = scratch()
  const answer = s.take(4)
  checked(call(answer.address), operation)
  return answer.view.getInt32(0, true)
}

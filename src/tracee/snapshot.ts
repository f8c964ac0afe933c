import { controlBlock } from '../arch/x86_64/infection.ts'
import type { Registers } from '../arch/x86_64/registers.ts'
import { SIG } from '../kernel/constants/signals.ts'
import { closeSync, openSync, writeSync } from '../kernel/fs.ts'
import { readStatus } from '../kernel/proc/status.ts'
import { resume, setRegisters } from '../kernel/ptrace.ts'
import { sys } from '../kernel/sys.ts'
import type { Table } from '../kernel/table.ts'
import type { HostPid, NsPid } from '../kernel/types.ts'
import { waitStop } from '../kernel/wait.ts'
import type { Log } from '../log/log.ts'
import { waitForEnd } from './release.ts'
import { checkRun, traceRun } from './run.ts'
import { unexpectedStop } from './thread.ts'

/** What a copy has from the infection of the process that it was made of. */
export interface SnapshotOrigin {
  readonly log: Log
  /** The signal that ends a table. */
  readonly signal: number
  readonly home: bigint
  readonly control: bigint
  /** In the region that both have mapped. */
  table(): Table
  registers(table: Table): Registers
  /** Has its parent wait for it, once it has ended. */
  bury(): void
}

/**
 * A process that is nothing but a copy of another one's memory, made by fork: pages are written from
 * it while the other goes on. Made by Infection.fork.
 */
export class Snapshot implements Disposable {
  readonly pid: HostPid
  readonly nsPid: NsPid
  readonly #origin: SnapshotOrigin
  #ended = false

  constructor(pid: HostPid, origin: SnapshotOrigin) {
    this.pid = pid
    this.#origin = origin
    this.nsPid = readStatus(`/proc/${pid}`).innermost.pid
    const block = controlBlock(this.nsPid, this.nsPid, origin.home, origin.signal)
    const mem = openSync(`/proc/${pid}/mem`, 'r+')
    writeSync(mem, block, 0, block.length, Number(origin.control))
    closeSync(mem)
  }

  table(): Table {
    return this.#origin.table()
  }

  start(table: Table): void {
    setRegisters(this.pid, this.#origin.registers(table))
    resume(this.pid)
  }

  finish(table: Table, what?: string): void {
    for (;;) {
      const stop = waitStop(this.pid)
      if (stop.kind === 'signal' && stop.signal === this.#origin.signal) break
      if (stop.kind === 'exited' || stop.kind === 'killed') {
        this.#ended = true
        unexpectedStop(this.pid, 'the end of its table', stop)
      }
      resume(this.pid)
    }
    traceRun(table, this.pid, this.#origin.log)
    checkRun(table, this.pid, what)
  }

  /** Ends it; its parent, which may be gone by now, is made to wait for it. */
  [Symbol.dispose](): void {
    if (!this.#ended) {
      sys('kill', this.pid, SIG.KILL)
      waitForEnd(this.pid)
    }
    this.#ended = true
    this.#origin.bury()
  }
}

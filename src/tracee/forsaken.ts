import { closeSync, openSync, readSync } from 'node:fs'
import { infectionLayout } from '../arch/x86_64/infection.ts'
import type { Registers } from '../arch/x86_64/registers.ts'
import { PTRACE } from '../kernel/constants/ptrace.ts'
import { SIG } from '../kernel/constants/signals.ts'
import { AuxType, auxValue, readAuxv } from '../kernel/proc/auxv.ts'
import { getRegisters, mustPtrace } from '../kernel/ptrace.ts'
import type { HostPid } from '../kernel/types.ts'
import { waitStop } from '../kernel/wait.ts'
import { elfEnd } from './elf-end.ts'

/** Larger than any vDSO. */
const VDSO_MAX = 0x8000

/**
 * What a dump that was killed may have left in a process: threads that are still in the code in the
 * tail of its vDSO (arch/x86_64/infection.ts), since they wait there for a moment, or since the whole
 * process is in a group-stop and they with it.
 */
export type Forsaken =
  /** The dump's helper, no thread of the process's own. */
  | 'helper'
  /** A thread of the process on its way home. */
  | 'visitor'

/** Tells of the threads of one process; what it must know for it is read once. */
export class ForsakenThreads {
  readonly #pid: HostPid
  #vdso: bigint | undefined
  #asked = false

  constructor(pid: HostPid) {
    this.#pid = pid
  }

  find(registers: Registers): Forsaken | undefined {
    const rip = registers.get('rip')
    const vdso = this.#address()
    if (vdso === undefined || rip < vdso || rip >= vdso + BigInt(VDSO_MAX)) return undefined
    const tail = this.#tail(vdso)
    if (tail === undefined || rip < tail) return undefined
    return registers.get('r15') === infectionLayout(tail).helperControl ? 'helper' : 'visitor'
  }

  /** The words of the vector are of 4 bytes in a program of 32 bits. */
  #address(): bigint | undefined {
    if (this.#asked) return this.#vdso
    this.#asked = true
    const path = `/proc/${this.#pid}`
    this.#vdso =
      auxValue(readAuxv(path, 8), AuxType.SYSINFO_EHDR) ??
      auxValue(readAuxv(path, 4), AuxType.SYSINFO_EHDR)
    return this.#vdso
  }

  /** Where the vDSO's content ends; nothing of its own runs behind that. */
  #tail(vdso: bigint): bigint | undefined {
    const bytes = new Uint8Array(VDSO_MAX)
    const mem = openSync(`/proc/${this.#pid}/mem`, 'r')
    try {
      const length = readSync(mem, bytes, 0, bytes.length, Number(vdso))
      return vdso + BigInt(elfEnd(bytes.subarray(0, length)))
    } catch {
      return undefined // it is not where the kernel had put it
    } finally {
      closeSync(mem)
    }
  }
}

/** A way home takes some dozens of instructions. */
const MOST_STEPS = 2000

/**
 * Lets a visitor go home step by step, and stops it where it is back in code of its own: none of that
 * runs. Returns its registers there; undefined where it has ended, being a helper that had just begun.
 */
export function walkHome(tid: HostPid, threads: ForsakenThreads): Registers | undefined {
  for (let steps = 0; ; steps++) {
    const registers = getRegisters(tid)
    if (threads.find(registers) === undefined || steps > MOST_STEPS) return registers
    mustPtrace('ptrace(SINGLESTEP)', PTRACE.SINGLESTEP, tid)
    const stop = waitStop(tid)
    if (stop.kind === 'exited' || stop.kind === 'killed') return undefined
    if (stop.kind === 'signal' && stop.signal !== SIG.TRAP) steps-- // its own table's end
  }
}

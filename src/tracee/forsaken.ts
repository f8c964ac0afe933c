import {
  type HomeState,
  type InfectionLayout,
  infectionLayout,
  readVisitorHome,
  VISITOR_BYTE,
} from '../arch/x86_64/infection.ts'
import type { Registers } from '../arch/x86_64/registers.ts'
import { closeSync, openSync, readSync, writeSync } from '../kernel/fs.ts'
import { AuxType, auxValue, readAuxv } from '../kernel/proc/auxv.ts'
import { readProcFile } from '../kernel/proc/read.ts'
import type { HostPid } from '../kernel/types.ts'
import { elfEnd } from './elf-end.ts'
import { REGION_SIZE } from './infection.ts'

/** Larger than any vDSO. */
const VDSO_MAX = 0x8000

/**
 * What a dump that was killed may have left in a process: threads that are still in the code in the
 * tail of its vDSO (arch/x86_64/infection.ts), since they wait there for a moment, or since the whole
 * process is in a group-stop and they with it.
 */
export type Forsaken =
  /** The dump's helper, no thread of the process's own. */
  | { readonly kind: 'helper' }
  /** A thread of the process on its way home, which leads to this state. */
  | { readonly kind: 'visitor'; readonly home: HomeState }

/** Tells of the threads of one process; what it must know for it is read once. */
export class ForsakenThreads {
  readonly #pid: HostPid
  #vdso: bigint | undefined
  #asked = false

  constructor(pid: HostPid) {
    this.#pid = pid
  }

  /**
   * A visitor's state is read from its way home, not reached by letting it walk: a step by ptrace
   * (PTRACE_SINGLESTEP) leaves the trap flag behind if the tracer dies, and the thread would die of
   * SIGTRAP (Linux 6.18: exit_ptrace does not clear it).
   */
  find(registers: Registers): Forsaken | undefined {
    const rip = registers.get('rip')
    const vdso = this.#address()
    if (vdso === undefined || rip < vdso || rip >= vdso + BigInt(VDSO_MAX)) return undefined
    const content = this.#read(vdso, VDSO_MAX)
    const layout = content && infectionLayout(vdso + BigInt(elfEnd(content)))
    if (layout === undefined || rip < layout.stub || rip >= layout.end) return undefined
    if (isHelper(registers, layout)) return { kind: 'helper' }
    const at = Number(layout.visitorHome - vdso)
    const home = readVisitorHome(content!.subarray(at, Number(layout.end - vdso)), registers)
    return home && { kind: 'visitor', home }
  }

  /** Tells the helper's way home that the visitor whose home this was needs the region no more. */
  hasLeft({ region }: HomeState): void {
    if (region === undefined) return
    const range = `${region.toString(16)}-${(region + BigInt(REGION_SIZE)).toString(16)} rw-s `
    const line = readProcFile(`/proc/${this.#pid}/maps`)
      .split('\n')
      .find((one) => one.startsWith(range))
    // By now something of the process's own may be mapped there.
    if (!line?.endsWith('/dev/zero (deleted)')) return
    const mem = openSync(`/proc/${this.#pid}/mem`, 'r+')
    writeSync(mem, Uint8Array.of(0), 0, 1, Number(region) + VISITOR_BYTE)
    closeSync(mem)
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

  #read(address: bigint, size: number): Uint8Array | undefined {
    const bytes = new Uint8Array(size)
    const mem = openSync(`/proc/${this.#pid}/mem`, 'r')
    try {
      return bytes.subarray(0, readSync(mem, bytes, 0, size, Number(address)))
    } catch {
      return undefined // it is not where the kernel had put it
    } finally {
      closeSync(mem)
    }
  }
}

/** Also one that has just been born by the clone at the stub: to it that call gave 0. */
function isHelper(
  registers: Registers,
  { stub, helperHome, loop, helperControl }: InfectionLayout,
) {
  if (registers.get('r15') === helperControl) return true
  const rip = registers.get('rip')
  if (rip >= helperHome && rip < loop) return true
  return rip > stub && rip < helperHome && registers.get('rax') === 0n
}
